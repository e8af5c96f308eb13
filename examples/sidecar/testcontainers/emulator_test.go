// testcontainers for Go.
package emulator_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/wait"
)

const receiver = 9000

func startEmulator(t *testing.T) string {
	t.Helper()
	ctx := context.Background()
	container, err := testcontainers.GenericContainer(ctx, testcontainers.GenericContainerRequest{
		ContainerRequest: testcontainers.ContainerRequest{
			Image:        "ksyun-baidu-emulator",
			ExposedPorts: []string{"8640/tcp"},
			Env: map[string]string{
				"EMULATOR_ADMIN_TOKEN": "none",
				// Callbacks for localhost reach port 9000 of this process.
				"EMULATOR_CALLBACK_REWRITE": "localhost=" + testcontainers.HostInternal,
			},
			HostAccessPorts: []int{receiver},
			WaitingFor:      wait.ForHTTP("/_emulator/readyz").WithPort("8640/tcp").WithStartupTimeout(30 * time.Second),
		},
		Started: true,
	})
	testcontainers.CleanupContainer(t, container)
	if err != nil {
		t.Fatal(err)
	}
	url, err := container.PortEndpoint(ctx, "8640/tcp", "http")
	if err != nil {
		t.Fatal(err)
	}
	return url
}

func TestAWaveTaskIsCreated(t *testing.T) {
	task := fmt.Sprintf(`{"Preset": "wave", "points": 100, "SrcInfo": {"path": "/src-bucket/a.mp3"},
		"DstBucket": "dst-bucket", "DstObjectKey": "wave/a.json", "CbUrl": "http://localhost:%d/callbacks"}`, receiver)
	url := startEmulator(t) + "/?Action=CreateWaveTask&Version=2017-01-01"
	answer, err := http.Post(url, "application/json", strings.NewReader(task))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		t.Fatalf("status %d", answer.StatusCode)
	}
}
