import { Command } from "commander";
import { assertNoCidFile, writeCidFile } from "../cid-file.js";
import { type CreateOptions, createContainer } from "../create.js";
import { addMakingOptions } from "../flags/common.js";
import { addCreateFlags, attachTo, createRequest } from "../flags/request.js";
import { print } from "../print.js";
import { talking } from "../session.js";
import { collect } from "../settings.js";

interface Options extends CreateOptions {
  readonly cidfile?: string;
  readonly attach?: readonly string[];
  readonly [flag: string]: unknown;
}

export function createCommand(): Command {
  const command = new Command("create")
    .description("make a container of an image, without starting it")
    .argument("<image>")
    .argument("[command...]")
    .passThroughOptions()
    .option("-a, --attach <stream>", "stdin, stdout or stderr, for a start that attaches; may be repeated", collect);
  return addCreateFlags(addMakingOptions(command)).action(
    talking<Options>(async ({ client, args: [image = "", ...cmd], options }) => {
      assertNoCidFile(options.cidfile);
      const request = attachTo(createRequest(image, cmd, options), options.attach);
      const id = await createContainer(client, request, options);
      await writeCidFile(options.cidfile, id);
      await print(id);
    }),
  );
}
