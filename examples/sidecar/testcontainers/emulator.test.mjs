// testcontainers for Node: npm install testcontainers; node --test
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { GenericContainer, TestContainers, Wait } from "testcontainers";

const RECEIVER = 9000;
let container;
let url;

before(async () => {
  await TestContainers.exposeHostPorts(RECEIVER);
  container = await new GenericContainer("ksyun-baidu-emulator")
    .withExposedPorts(8640)
    .withEnvironment({
      EMULATOR_ADMIN_TOKEN: "none",
      // Callbacks for localhost reach port 9000 of this process.
      EMULATOR_CALLBACK_REWRITE: "localhost=host.testcontainers.internal",
    })
    .withWaitStrategy(Wait.forHttp("/_emulator/readyz", 8640))
    .withStartupTimeout(30_000)
    .start();
  url = `http://${container.getHost()}:${container.getMappedPort(8640)}`;
});

after(async () => container?.stop());

test("a wave task is created", async () => {
  const task = {
    Preset: "wave",
    points: 100,
    SrcInfo: { path: "/src-bucket/a.mp3" },
    DstBucket: "dst-bucket",
    DstObjectKey: "wave/a.json",
    CbUrl: `http://localhost:${RECEIVER}/callbacks`,
  };
  const answer = await fetch(`${url}/?Action=CreateWaveTask&Version=2017-01-01`, {
    method: "POST",
    body: JSON.stringify(task),
  });

  assert.equal((await answer.json()).ErrNum, 0);
});
