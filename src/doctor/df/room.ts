/** What something takes of a disk; in the keys in which it is served as JSON. */
export interface Room {
  /** Of blocks, as du(1) counts them: whole ones, none for a hole. */
  readonly Bytes: number;
  readonly Inodes: number;
}

export const nothing: Room = { Bytes: 0, Inodes: 0 };

export function sumOf(rooms: Iterable<Room>): Room {
  let [Bytes, Inodes] = [0, 0];
  for (const room of rooms) {
    Bytes += room.Bytes;
    Inodes += room.Inodes;
  }
  return { Bytes, Inodes };
}
