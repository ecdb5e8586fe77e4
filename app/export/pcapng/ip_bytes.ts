// SPDX-License-Identifier: Apache-2.0
// IP addresses as bytes, from their canonical text.

/** 4 or 16 bytes; null for what is no address. */
export function ipBytes(text: string): Uint8Array | null {
  if (/^\d+\.\d+\.\d+\.\d+$/.test(text)) return Uint8Array.from(text.split("."), Number);
  if (!text.includes(":")) return null;
  const [head = "", tail] = text.split("::");
  const groups = (part: string) => part === "" ? [] : part.split(":").map((g) => parseInt(g, 16));
  const [before, after] = [groups(head), tail === undefined ? [] : groups(tail)];
  const zeros = tail === undefined ? 0 : 8 - before.length - after.length;
  const all = [...before, ...new Array<number>(Math.max(0, zeros)).fill(0), ...after];
  if (all.length !== 8 || all.some((group) => !(group >= 0 && group <= 0xffff))) return null;
  return Uint8Array.from(all.flatMap((group) => [group >> 8, group & 0xff]));
}

export function isLoopback(ip: string): boolean {
  return ip === "::1" || ip.startsWith("127.");
}

/** The address of a socket that is bound to all of them. */
export function isWildcard(ip: string): boolean {
  return ip === "" || ip === "0.0.0.0" || ip === "::";
}
