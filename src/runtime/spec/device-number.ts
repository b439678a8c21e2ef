/** Major number of a device, from `rdev` as stat gives it. @see glibc gnu_dev_major(3) */
export function majorOf(rdev: number): number {
  const number = BigInt(rdev);
  return Number(((number >> 8n) & 0xfffn) | ((number >> 32n) & ~0xfffn));
}

export function minorOf(rdev: number): number {
  const number = BigInt(rdev);
  return Number((number & 0xffn) | ((number >> 12n) & ~0xffn & 0xffffffffn));
}
