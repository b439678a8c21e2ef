import { RuntimeFailure } from "../failure.js";
import type { OCIUser } from "./oci.js";

/** The databases of users and groups in a container: the text of the files, undefined where there is none. */
export interface UserFiles {
  readonly passwd: string | undefined;
  readonly group: string | undefined;
}

interface User {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

interface Group {
  readonly name: string;
  readonly gid: number;
  readonly members: readonly string[];
}

/**
 * Who a process runs as. Numbers stand for themselves whether the files know them or not; a user's group and further
 * groups come from the files, further ones only when no group is given.
 *
 * @param asked "" (root), `name`, `uid`, `name:group`, `uid:gid` and their mixtures
 * @param groupAdd names or numbers of groups besides
 * @throws RuntimeFailure: a name that the files do not know, or a number out of range, in Docker's words
 */
export function userOf(asked: string, groupAdd: readonly string[], { passwd, group }: UserFiles): OCIUser {
  const [wanted = "", wantedGroup = ""] = asked.split(":");
  const groups = parseGroups(group ?? "");
  const user = findUser(wanted || "0", parseUsers(passwd ?? ""));
  const gid = wantedGroup === "" ? user.gid : findGroup(wantedGroup, groups, "unable to find group");
  const further =
    wantedGroup === "" && user.name !== "" ? groups.filter(({ members }) => members.includes(user.name)) : [];
  const added = [...new Set(groupAdd.map((each) => findGroup(each, groups, "Unable to find group", true)))];
  const groupIDs = [gid, ...further.map((each) => each.gid), ...added];
  return { uid: inRange(user.uid), gid, additionalGids: groupIDs.map(inRange) };
}

function findUser(wanted: string, users: readonly User[]): User {
  const uid = toInteger(wanted);
  const found = users.find((user) => (uid === undefined ? user.name === wanted : user.uid === uid));
  if (found) return found;
  if (uid === undefined) {
    throw new RuntimeFailure(`unable to find user ${wanted}: no matching entries in passwd file`);
  }
  return { name: "", uid, gid: 0 };
}

/** @param either a name made of digits is a name first */
function findGroup(wanted: string, groups: readonly Group[], complaint: string, either = false): number {
  const gid = toInteger(wanted);
  const found = groups.find((group) => ((gid === undefined || either) && group.name === wanted) || group.gid === gid);
  if (found) return found.gid;
  if (gid === undefined) throw new RuntimeFailure(`${complaint} ${wanted}: no matching entries in group file`);
  return gid;
}

/** Beyond it a number would come round to another, and that may be root's. */
function inRange(id: number): number {
  if (id < 0 || id > 0x7fffffff) throw new RuntimeFailure("uids and gids must be in range 0-2147483647");
  return id;
}

/** An integer as Go's Atoi takes it. */
function toInteger(text: string): number | undefined {
  return /^[+-]?\d{1,18}$/.test(text) ? Number(text) : undefined;
}

/** @see passwd(5) */
function parseUsers(text: string): User[] {
  return records(text).map(([name = "", , uid = "", gid = ""]) => ({ name, uid: number(uid), gid: number(gid) }));
}

/** @see group(5) */
function parseGroups(text: string): Group[] {
  return records(text).map(([name = "", , gid = "", members = ""]) => ({
    name,
    gid: number(gid),
    members: members.split(","),
  }));
}

function records(text: string): string[][] {
  const lines = text.split("\n").map((line) => line.trim());
  return lines.filter((line) => line !== "").map((line) => line.split(":"));
}

/** What is no number counts as 0, as Docker reads it. */
function number(text: string): number {
  return toInteger(text) ?? 0;
}
