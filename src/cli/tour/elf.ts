/** What an ELF file asks of the dynamic linker. */
export interface Dynamics {
  /** 32 or 64 bit and the machine: a library fits a program when it has the same. */
  readonly kind: string;
  /** Path of the program interpreter, the dynamic linker itself; absent in libraries and static programs. */
  readonly interpreter?: string;
  /** Names of the libraries it needs (`DT_NEEDED`), in order. */
  readonly needed: readonly string[];
  /** Directories it names itself to look in (`DT_RUNPATH`, `DT_RPATH`), `$ORIGIN` not yet replaced. */
  readonly searched: readonly string[];
}

const segment = { load: 1, dynamic: 2, interpreter: 3 } as const;
const tag = { end: 0, needed: 1, strings: 5, rpath: 15, runpath: 29 } as const;

/**
 * Reads what a program or library needs to run, as ldd(1) would tell it, without running anything.
 *
 * @returns undefined for what is no ELF file: a script, say
 * @see elf(5)
 */
export function readElf(file: Buffer): Dynamics | undefined {
  if (file.length < 64 || file.readUInt32BE(0) !== 0x7f454c46) return undefined;
  const reader = new ElfReader(file);
  const segments = reader.segments();
  const interpreter = segments.find(({ type }) => type === segment.interpreter);
  return {
    kind: reader.kind,
    ...(interpreter && { interpreter: reader.text(interpreter.offset) }),
    ...reader.dynamics(segments),
  };
}

interface Segment {
  readonly type: number;
  readonly offset: number;
  readonly address: number;
  readonly size: number;
}

/** Fields of an ELF file by its own word size and byte order. */
class ElfReader {
  readonly #file: Buffer;
  readonly #wide: boolean;
  readonly #little: boolean;

  constructor(file: Buffer) {
    this.#file = file;
    this.#wide = file[4] === 2;
    this.#little = file[5] === 1;
  }

  get kind(): string {
    return `${this.#wide ? 64 : 32} bit, machine ${this.#half(18)}`;
  }

  segments(): Segment[] {
    const [table, size, count] = this.#wide ? [32, 54, 56] : [28, 42, 44];
    const start = this.#word(table);
    return Array.from({ length: this.#half(count) }, (_, i) => this.#segment(start + i * this.#half(size)));
  }

  #segment(at: number): Segment {
    const [offset, address, size] = this.#wide ? [8, 16, 32] : [4, 8, 16];
    const [type, word] = [this.#int(at), (field: number) => this.#word(at + field)];
    return { type, offset: word(offset), address: word(address), size: word(size) };
  }

  dynamics(segments: readonly Segment[]): Pick<Dynamics, "needed" | "searched"> {
    const entries = segments.filter(({ type }) => type === segment.dynamic).flatMap((found) => this.#entries(found));
    const table = entries.find(([name]) => name === tag.strings)?.[1];
    if (table === undefined) return { needed: [], searched: [] };
    const strings = fileOffset(segments, table);
    const texts = (...tags: number[]) =>
      entries.filter(([name]) => tags.includes(name)).map(([, value]) => this.text(strings + value));
    return {
      needed: texts(tag.needed),
      searched: texts(tag.rpath, tag.runpath).flatMap((list) => list.split(":")),
    };
  }

  #entries({ offset, size }: Segment): [name: number, value: number][] {
    const width = this.#wide ? 8 : 4;
    const entries = Array.from({ length: Math.floor(size / (2 * width)) }, (_, i): [number, number] => {
      const at = offset + i * 2 * width;
      return [this.#word(at), this.#word(at + width)];
    });
    const end = entries.findIndex(([name]) => name === tag.end);
    return end < 0 ? entries : entries.slice(0, end);
  }

  text(at: number): string {
    return this.#file.toString("latin1", at, this.#file.indexOf(0, at));
  }

  #half(at: number): number {
    return this.#little ? this.#file.readUInt16LE(at) : this.#file.readUInt16BE(at);
  }

  #int(at: number): number {
    return this.#little ? this.#file.readUInt32LE(at) : this.#file.readUInt32BE(at);
  }

  #word(at: number): number {
    if (!this.#wide) return this.#int(at);
    return Number(this.#little ? this.#file.readBigUInt64LE(at) : this.#file.readBigUInt64BE(at));
  }
}

/** Where in the file lies what the running program finds at `address`. */
function fileOffset(segments: readonly Segment[], address: number): number {
  const home = segments.find(
    (each) => each.type === segment.load && address >= each.address && address < each.address + each.size,
  );
  return home ? address - home.address + home.offset : address;
}
