// SPDX-License-Identifier: Apache-2.0
// Reads the type information (BTF) of a built BPF object: struct layouts, enums, sections of
// variables.

/** A struct field or a variable of a section; `bytes` is the size of its type. */
export interface Member {
  readonly name: string;
  readonly offset: number;
  readonly bytes: number;
  /** Name of the struct that it is, "" for scalars and arrays. */
  readonly struct: string;
}

export interface Btf {
  readonly structs: ReadonlyMap<string, { readonly bytes: number; readonly members: Member[] }>;
  readonly enums: ReadonlyMap<string, ReadonlyMap<string, number>>;
  /** Variables of .rodata, .data.* … with their offsets in the map. */
  readonly sections: ReadonlyMap<string, Member[]>;
}

/** Takes the bytes of an ELF object; throws when it has no readable .BTF section. */
export function readBtf(object: Uint8Array): Btf {
  const raw = readTypes(elfSection(object, ".BTF"));
  const symbols = readSymbols(object);
  const structs = new Map<string, { bytes: number; members: Member[] }>();
  const enums = new Map<string, ReadonlyMap<string, number>>();
  const sections = new Map<string, Member[]>();
  for (const type of raw) {
    if (type.kind === KIND.struct && type.name !== "") {
      structs.set(type.name, {
        bytes: type.size,
        members: type.members.map((m) => member(raw, m.name, m.type, m.value / 8)),
      });
    } else if (type.kind === KIND.enum && type.name !== "") {
      enums.set(type.name, new Map(type.members.map((m) => [m.name, m.value])));
    } else if (type.kind === KIND.datasec) {
      sections.set(
        type.name,
        type.members.map((m) => {
          const name = raw[m.type]?.name ?? "";
          return member(raw, name, m.type, symbols.get(name) ?? 0);
        }),
      );
    }
  }
  return { structs, enums, sections };
}

const KIND = {
  int: 1,
  pointer: 2,
  array: 3,
  struct: 4,
  union: 5,
  enum: 6,
  typedef: 8,
  volatile: 9,
  const: 10,
  restrict: 11,
  prototype: 13,
  variable: 14,
  datasec: 15,
  declTag: 17,
  enum64: 19,
} as const;

interface RawMember {
  readonly name: string;
  readonly type: number;
  /** Bit offset or enumerator value. */
  readonly value: number;
}

interface RawType {
  readonly kind: number;
  readonly name: string;
  /** Bytes of a sized type, else the id of the type referred to. */
  readonly size: number;
  readonly members: RawMember[];
  /** Arrays: number of elements. */
  readonly count: number;
}

function member(types: readonly RawType[], name: string, type: number, offset: number): Member {
  const resolved = resolve(types, type);
  const struct = resolved?.kind === KIND.struct ? resolved.name : "";
  return { name, offset, bytes: bytesOf(types, type), struct };
}

const ALIASES: ReadonlySet<number> = new Set([
  KIND.typedef,
  KIND.volatile,
  KIND.const,
  KIND.restrict,
  KIND.variable,
]);

function resolve(types: readonly RawType[], id: number): RawType | undefined {
  let type = types[id];
  while (type !== undefined && ALIASES.has(type.kind)) type = types[type.size];
  return type;
}

function bytesOf(types: readonly RawType[], id: number): number {
  const type = resolve(types, id);
  if (type === undefined) return 0;
  if (type.kind === KIND.pointer) return 8;
  if (type.kind === KIND.array) return type.count * bytesOf(types, type.size);
  return type.size;
}

function readTypes(section: DataView): RawType[] {
  if (section.getUint16(0, true) !== 0xeb9f) {
    throw new Error("Cannot read BTF: the section does not start with its magic number");
  }
  const header = section.getUint32(4, true);
  const end = header + section.getUint32(8, true) + section.getUint32(12, true);
  const strings = header + section.getUint32(16, true);
  const nameAt = (offset: number) => textAt(section, strings + offset);
  const types: RawType[] = [{ kind: 0, name: "void", size: 0, members: [], count: 0 }];
  let at = header + section.getUint32(8, true);
  while (at < end) {
    const info = section.getUint32(at + 4, true);
    const kind = info >>> 24 & 0x1f;
    const base = { kind, name: nameAt(section.getUint32(at, true)) };
    const size = section.getUint32(at + 8, true);
    const [members, bytes] = readMembers(section, at + 12, kind, info & 0xffff, nameAt);
    const element = kind === KIND.array ? section.getUint32(at + 12, true) : size;
    const count = kind === KIND.array ? section.getUint32(at + 20, true) : 0;
    types.push({ ...base, size: element, members, count });
    at += 12 + bytes;
  }
  return types;
}

/** Members of a type and the bytes that follow its 12-byte head. */
function readMembers(
  view: DataView,
  at: number,
  kind: number,
  count: number,
  nameAt: (offset: number) => string,
): [RawMember[], number] {
  const u32 = (offset: number) => view.getUint32(offset, true);
  const list = (stride: number, read: (at: number) => RawMember): [RawMember[], number] => [
    Array.from({ length: count }, (_, i) => read(at + i * stride)),
    count * stride,
  ];
  switch (kind) {
    case KIND.struct:
    case KIND.union:
      return list(12, (m) => ({ name: nameAt(u32(m)), type: u32(m + 4), value: u32(m + 8) }));
    case KIND.enum:
      return list(8, (m) => ({ name: nameAt(u32(m)), type: 0, value: view.getInt32(m + 4, true) }));
    case KIND.datasec:
      return list(12, (m) => ({ name: "", type: u32(m), value: 0 }));
    case KIND.array:
      return [[], 12];
    case KIND.int:
    case KIND.variable:
    case KIND.declTag:
      return [[], 4];
    case KIND.prototype:
      return [[], count * 8];
    case KIND.enum64:
      return [[], count * 12];
    default:
      return [[], 0];
  }
}

function elfSection(object: Uint8Array, wanted: string): DataView {
  const view = new DataView(object.buffer, object.byteOffset, object.byteLength);
  if (view.byteLength < 64 || view.getUint32(0) !== 0x7f454c46) {
    throw new Error("Cannot read BTF: the file is not an ELF object");
  }
  const headers = Number(view.getBigUint64(40, true));
  const bytes = view.getUint16(58, true);
  const header = (index: number) => headers + index * bytes;
  const offsetOf = (index: number) => Number(view.getBigUint64(header(index) + 24, true));
  const names = offsetOf(view.getUint16(62, true));
  for (let i = 0; i < view.getUint16(60, true); i++) {
    if (textAt(view, names + view.getUint32(header(i), true)) !== wanted) continue;
    const size = Number(view.getBigUint64(header(i) + 32, true));
    return new DataView(object.buffer, object.byteOffset + offsetOf(i), size);
  }
  throw new Error(`Cannot read BTF: the object has no section ${wanted}`);
}

/** Symbol values: in an object that is not linked, offsets of variables in their sections. */
function readSymbols(object: Uint8Array): ReadonlyMap<string, number> {
  const table = elfSection(object, ".symtab");
  const names = elfSection(object, ".strtab");
  const symbols = new Map<string, number>();
  for (let at = 0; at + 24 <= table.byteLength; at += 24) {
    const name = textAt(names, table.getUint32(at, true));
    symbols.set(name, Number(table.getBigUint64(at + 8, true)));
  }
  return symbols;
}

function textAt(view: DataView, offset: number): string {
  let text = "";
  for (let at = offset; at < view.byteLength; at++) {
    const byte = view.getUint8(at);
    if (byte === 0) break;
    text += String.fromCharCode(byte);
  }
  return text;
}
