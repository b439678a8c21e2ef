const units = ["B", "kB", "MB", "GB", "TB", "PB", "EB"];

/** Bytes as people read them, in powers of 1000, to so many digits: `1.23MB`. */
export function size(bytes: number, digits = 3): string {
  let value = bytes;
  let unit = 0;
  while (unit < units.length - 1 && Number(value.toPrecision(digits)) >= 1000) {
    value /= 1000;
    unit += 1;
  }
  return `${Number(value.toPrecision(digits))}${units[unit]}`;
}

const binary = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

/** Bytes in powers of 1024: `23.54GiB`. */
export function binarySize(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (unit < binary.length - 1 && value >= 1024) {
    value /= 1024;
    unit += 1;
  }
  return `${Number(value.toPrecision(4))}${binary[unit]}`;
}
