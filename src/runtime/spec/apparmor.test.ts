import { expect, test } from "vitest";
import { lacking } from "../../../test/oracle/programs.js";
import { run } from "../../../test/oracle/run.js";
import { usualProfile } from "./apparmor-profile.js";

test.skipIf(lacking("apparmor_parser"))("AppArmor's own compiler takes the usual profile", async () => {
  const input = usualProfile("docker-default", "unconfined");
  const { status, stderr } = await run("apparmor_parser", ["--skip-kernel-load", "--skip-cache", "--names"], { input });
  expect({ status, stderr }).toMatchObject({ status: 0 });
});
