import type { Room, Usage } from "../../doctor/index.js";
import { shortID } from "../../spec/index.js";
import { size } from "../format/size.js";
import type { Listing } from "../print.js";

const titles: Readonly<Record<Usage["Kinds"][number]["Kind"], string>> = {
  images: "Images",
  containers: "Containers",
  volumes: "Local Volumes",
  "build-cache": "Build Cache",
  unused: "Unused",
  temporary: "Temporary",
  quarantine: "Quarantine",
  migration: "Kept by migrate",
  "other-driver": "Other driver",
  metadata: "Metadata",
};

/** What each kind takes, and all together; in the fields of `docker system df`, and the same in numbers. */
export function summary({ Kinds, Total }: Usage): Listing {
  const rows = Kinds.map(({ Kind, Count, Active, Reclaimable, ...room }) => ({
    Type: titles[Kind],
    TotalCount: Count === undefined ? "" : String(Count),
    Active: Active === undefined ? "" : String(Active),
    ...sizes(room, Reclaimable),
  }));
  const free = Kinds.reduce((sum, { Reclaimable }) => sum + Reclaimable.Bytes, 0);
  const total = { Type: "Total", TotalCount: "", Active: "", ...sizes(Total, { Bytes: free, Inodes: 0 }) };
  return {
    rows: [...rows, total],
    columns: {
      ...{ TYPE: "Type", TOTAL: "TotalCount", ACTIVE: "Active", SIZE: "Size", RECLAIMABLE: "Reclaimable" },
      INODES: "Inodes",
    },
  };
}

function sizes(room: Room, free: Room) {
  const share = room.Bytes > 0 ? ` (${Math.floor((free.Bytes * 100) / room.Bytes)}%)` : "";
  return {
    Size: size(room.Bytes, 4),
    Reclaimable: `${size(free.Bytes, 4)}${share}`,
    Inodes: String(room.Inodes),
    SizeBytes: String(room.Bytes),
    ReclaimableBytes: String(free.Bytes),
  };
}

/** Each image, container and volume, the largest first. */
export function details(usage: Usage): [title: string, listing: Listing][] {
  return [
    ["Images", { rows: [...usage.Images].sort(larger).map(imageRow), columns: imageColumns }],
    ["Containers", { rows: [...usage.Containers].sort(larger).map(containerRow), columns: containerColumns }],
    ["Local Volumes", { rows: [...usage.Volumes].sort(larger).map(volumeRow), columns: volumeColumns }],
  ];
}

const imageColumns = {
  ...{ IMAGE: "Names", "IMAGE ID": "ID", SIZE: "Size", "SHARED SIZE": "Shared", "UNIQUE SIZE": "Unique" },
  ...{ RECLAIMABLE: "Reclaimable", INODES: "Inodes", "UNIQUE INODES": "UniqueInodes", CONTAINERS: "Containers" },
};

function imageRow({ Id, Names, Shared, Unique, Reclaimable, Containers, ...room }: Usage["Images"][number]) {
  return {
    Names: Names.join(",") || "<none>",
    ID: shortID(Id),
    Size: size(room.Bytes, 4),
    Shared: size(Shared.Bytes, 4),
    Unique: size(Unique.Bytes, 4),
    Reclaimable: size(Reclaimable.Bytes, 4),
    Inodes: String(room.Inodes),
    UniqueInodes: String(Unique.Inodes),
    Containers: String(Containers),
  };
}

const containerColumns = {
  ...{ "CONTAINER ID": "ID", NAME: "Name", IMAGE: "Image", SIZE: "Size", "SHARED SIZE": "Shared" },
  ...{ RECLAIMABLE: "Reclaimable", INODES: "Inodes", RUNNING: "Running" },
};

function containerRow({ Id, Name, Image, Running, Shared, Reclaimable, ...room }: Usage["Containers"][number]) {
  return {
    ID: shortID(Id),
    Name,
    Image,
    Size: size(room.Bytes, 4),
    Shared: size(Shared.Bytes, 4),
    Reclaimable: size(Reclaimable.Bytes, 4),
    Inodes: String(room.Inodes),
    Running: Running ? "yes" : "no",
  };
}

const volumeColumns = {
  ...{ "VOLUME NAME": "Name", LINKS: "Links", SIZE: "Size", RECLAIMABLE: "Reclaimable", INODES: "Inodes" },
};

function volumeRow({ Name, Users, Reclaimable, ...room }: Usage["Volumes"][number]) {
  return {
    Name,
    Links: String(Users),
    Size: size(room.Bytes, 4),
    Reclaimable: size(Reclaimable.Bytes, 4),
    Inodes: String(room.Inodes),
  };
}

function larger(a: Room, b: Room): number {
  return b.Bytes - a.Bytes;
}
