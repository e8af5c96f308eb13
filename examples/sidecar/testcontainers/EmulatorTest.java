// testcontainers for Java, JUnit 5.
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.testcontainers.Testcontainers;
import org.testcontainers.containers.GenericContainer;
import org.testcontainers.containers.wait.strategy.Wait;
import org.testcontainers.junit.jupiter.Container;

@org.testcontainers.junit.jupiter.Testcontainers
class EmulatorTest {
    static final int RECEIVER = 9000;

    @Container
    static final GenericContainer<?> emulator = new GenericContainer<>("ksyun-baidu-emulator")
            .withExposedPorts(8640)
            .withEnv("EMULATOR_ADMIN_TOKEN", "none")
            // Callbacks for localhost reach port 9000 of this process.
            .withEnv("EMULATOR_CALLBACK_REWRITE", "localhost=host.testcontainers.internal")
            .withAccessToHost(true)
            .waitingFor(Wait.forHttp("/_emulator/readyz").forPort(8640).withStartupTimeout(Duration.ofSeconds(30)));

    @BeforeAll
    static void letTheEmulatorCallBack() {
        Testcontainers.exposeHostPorts(RECEIVER);
    }

    @Test
    void aWaveTaskIsCreated() throws Exception {
        String url = "http://" + emulator.getHost() + ":" + emulator.getMappedPort(8640);
        String task = "{\"Preset\": \"wave\", \"points\": 100, \"SrcInfo\": {\"path\": \"/src-bucket/a.mp3\"},"
                + " \"DstBucket\": \"dst-bucket\", \"DstObjectKey\": \"wave/a.json\","
                + " \"CbUrl\": \"http://localhost:" + RECEIVER + "/callbacks\"}";
        HttpRequest request = HttpRequest.newBuilder(URI.create(url + "/?Action=CreateWaveTask&Version=2017-01-01"))
                .POST(HttpRequest.BodyPublishers.ofString(task))
                .build();

        String answer = HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString()).body();

        assertTrue(answer.contains("\"ErrNum\":0"), answer);
    }
}
