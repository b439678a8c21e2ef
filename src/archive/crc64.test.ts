import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Crc64 } from "./crc64.js";

/** The definition, one bit at a time: reflected polynomial 0xD800000000000000, all ones in and out. */
function bitwise(bytes: Uint8Array): Buffer {
  let crc = 0xffffffffffffffffn;
  for (const byte of bytes) {
    crc ^= BigInt(byte);
    for (let bit = 0; bit < 8; bit++) crc = crc & 1n ? (crc >> 1n) ^ 0xd800000000000000n : crc >> 1n;
  }
  const sum = Buffer.alloc(8);
  sum.writeBigUInt64BE(crc ^ 0xffffffffffffffffn);
  return sum;
}

function crcOf(...pieces: Uint8Array[]): Buffer {
  const crc = new Crc64();
  for (const piece of pieces) crc.update(piece);
  return crc.digest();
}

describe("CRC-64/ISO", () => {
  test("has the published check value", () => {
    expect(crcOf(Buffer.from("123456789")).toString("hex")).toBe("b90956c775a41001");
    expect(crcOf(Buffer.from("12345")).toString("base64")).toBe("RaQQAbMgAAA=");
    expect(crcOf().toString("hex")).toBe("0000000000000000");
  });

  test("equals its bitwise definition, however the bytes are cut and aligned", () => {
    const pieces = fc.array(fc.uint8Array({ maxLength: 70 }), { maxLength: 6 });
    fc.assert(
      fc.property(pieces, fc.nat(7), (list, shift) => {
        const shifted = list.map((piece) => {
          const room = new Uint8Array(shift + piece.length);
          room.set(piece, shift);
          return room.subarray(shift);
        });
        expect(crcOf(...shifted)).toEqual(bitwise(Buffer.concat(list)));
      }),
    );
  });

  test("starts anew after reset", () => {
    const crc = new Crc64();
    crc.update(Buffer.from("left over"));
    crc.reset();
    crc.update(Buffer.from("123456789"));
    expect(crc.digest().toString("hex")).toBe("b90956c775a41001");
  });
});
