import { createRequire } from "node:module";
import { Command } from "commander";
import { attachCommand } from "./commands/attach.js";
import { checkCommand } from "./commands/check.js";
import { commitCommand } from "./commands/commit.js";
import { cpCommand } from "./commands/cp.js";
import { createCommand } from "./commands/create.js";
import { dfCommand } from "./commands/df.js";
import { diffCommand } from "./commands/diff.js";
import { eventsCommand } from "./commands/events.js";
import { execCommand } from "./commands/exec.js";
import { exportCommand } from "./commands/export.js";
import { historyCommand } from "./commands/history.js";
import { imagesCommand } from "./commands/images.js";
import { importCommand } from "./commands/import.js";
import { infoCommand } from "./commands/info.js";
import { inspectCommand } from "./commands/inspect.js";
import { layersCommand } from "./commands/layers.js";
import { loadCommand } from "./commands/load.js";
import { logsCommand } from "./commands/logs.js";
import { migrateCommand } from "./commands/migrate.js";
import { mountCommand, umountCommand } from "./commands/mount.js";
import { pinCommand, unpinCommand } from "./commands/pin.js";
import { portCommand } from "./commands/port.js";
import { pruneCommand } from "./commands/prune.js";
import { psCommand } from "./commands/ps.js";
import { pullCommand } from "./commands/pull.js";
import { pushCommand } from "./commands/push.js";
import { reclaimCommand } from "./commands/reclaim.js";
import { renameCommand } from "./commands/rename.js";
import { repairCommand } from "./commands/repair.js";
import { rmCommand } from "./commands/rm.js";
import { rmiCommand } from "./commands/rmi.js";
import { runCommand } from "./commands/run.js";
import { saveCommand } from "./commands/save.js";
import { serveCommand } from "./commands/serve.js";
import { killCommand, pauseCommand, restartCommand, stopCommand, unpauseCommand } from "./commands/signals.js";
import { startCommand } from "./commands/start.js";
import { statsCommand } from "./commands/stats.js";
import { tagCommand } from "./commands/tag.js";
import { topCommand } from "./commands/top.js";
import { tourCommand } from "./commands/tour.js";
import { updateCommand } from "./commands/update.js";
import { versionCommand } from "./commands/version.js";
import { waitCommand } from "./commands/wait.js";
import { addGlobals } from "./settings.js";

/** Every command, in groups as the help shows them. A new command is one file and one line here. */
const commands: Readonly<Record<string, readonly (() => Command)[]>> = {
  "Images:": [
    imagesCommand,
    inspectCommand,
    historyCommand,
    layersCommand,
    pullCommand,
    pushCommand,
    loadCommand,
    saveCommand,
    importCommand,
    tagCommand,
    pinCommand,
    unpinCommand,
    rmiCommand,
  ],
  "Containers:": [
    runCommand,
    psCommand,
    createCommand,
    startCommand,
    stopCommand,
    restartCommand,
    killCommand,
    pauseCommand,
    unpauseCommand,
    waitCommand,
    attachCommand,
    execCommand,
    logsCommand,
    topCommand,
    statsCommand,
    updateCommand,
    portCommand,
    cpCommand,
    diffCommand,
    commitCommand,
    exportCommand,
    renameCommand,
    rmCommand,
    mountCommand,
    umountCommand,
  ],
  "System:": [
    tourCommand,
    serveCommand,
    infoCommand,
    versionCommand,
    dfCommand,
    eventsCommand,
    checkCommand,
    pruneCommand,
    repairCommand,
    reclaimCommand,
    migrateCommand,
  ],
};

export function program(): Command {
  const { version }: { version: string } = createRequire(import.meta.url)("../../../package.json");
  const layerkit = addGlobals(new Command("layerkit"))
    .description("Container images and copy-on-write file systems on OverlayFS, in Docker's own data-root format.")
    .version(version, "-V, --version")
    .enablePositionalOptions()
    .showHelpAfterError("(layerkit --help lists the commands, layerkit COMMAND --help its options)")
    .helpCommand("help [command]", "show how to use a command")
    .commandsGroup("System:")
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, "layerkit: ")) })
    .exitOverride();
  for (const [group, makers] of Object.entries(commands)) {
    for (const make of makers) layerkit.addCommand(make().helpGroup(group).copyInheritedSettings(layerkit));
  }
  return layerkit;
}
