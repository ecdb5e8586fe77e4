// SPDX-License-Identifier: Apache-2.0
// What the kernel side must know of Go programs: how their goroutines are found, which of their
// functions act for others, and where its probes belong.

import {
  goFunctionAt,
  goFunctionBytes,
  goFunctionRoleAt,
  goFunctionRoleBytes,
  goLayoutAt as at,
  goLayoutBytes,
  goRole,
} from "../bpf/event.gen.ts";
import type { BpfObject } from "./bpf_object.ts";

/** Offsets in the runtime's structs, in bytes. */
export interface GoOffsets {
  readonly tlsOffset: number;
  readonly goidAt: number;
  readonly parentAt: number;
  readonly startpcAt: number;
  readonly curgAt: number;
  readonly stackArgs: boolean;
  readonly spawnResultAt: number;
  readonly savedFrameAt: number;
  readonly receiveIndexAt: number;
}

/** Where the runtime's code for channels lies in a process; `to` is 0: they are not followed. */
export interface GoChannels {
  readonly from: bigint;
  readonly to: bigint;
}

/** A function whose goroutines act for others, by its address in the process. */
export interface GoFunctionRole {
  readonly entry: bigint;
  readonly role: Exclude<keyof typeof goRole, "own">;
  readonly receiverAt: number;
}

/** Kernel programs that are attached to functions of Go programs; see hooks.ts. */
export type GoProbe =
  | "go_called"
  | "go_passed"
  | "go_spawned"
  | "go_reads"
  | "go_handles"
  | "go_handles_rpc"
  | "go_sends_rpc"
  | "go_put"
  | "go_take"
  | "go_hands"
  | "go_gets";

export interface GoProbes {
  /** From the next event of the process on. The kernel forgets a process that exits or execs. */
  add(
    tgid: number,
    offsets: GoOffsets,
    channels: GoChannels,
    roles: readonly GoFunctionRole[],
  ): void;
  /** How often it has passed something through a channel that was followed. */
  channelUses(tgid: number): bigint;
  /** Frees what the kernel keeps of the functions of a process that has gone. */
  forget(tgid: number, roles: readonly GoFunctionRole[]): void;
  /** Attaches to bytes of a program file, in all processes that run it. Throws BpfError. */
  attach(
    program: GoProbe,
    path: string,
    offsets: readonly number[],
  ): Disposable & AsyncDisposable;
  /** Why nothing may be attached; null where it may. */
  readonly whyNot: string | null;
}

/** `changed` makes the kernel side look at its threads again. */
export function goProbes(
  object: BpfObject,
  whyNot: string | null,
  changed: () => void,
): GoProbes {
  const programs = object.map("go_programs");
  const functions = object.map("go_functions");
  const uses = object.map("channel_uses");
  return {
    add(tgid, offsets, channels, roles) {
      for (const role of roles) functions.update(keyOf(tgid, role), valueOf(role));
      programs.update(new Uint32Array([tgid]), layoutBytes(offsets, channels));
      changed();
    },
    channelUses(tgid) {
      const count = new BigUint64Array(1);
      uses.lookup(new Uint32Array([tgid]), count);
      return count[0] ?? 0n;
    },
    forget(tgid, roles) {
      for (const role of roles) functions.delete(keyOf(tgid, role));
    },
    attach: (program, path, offsets) => object.attachUprobes(program, path, offsets),
    whyNot,
  };
}

function layoutBytes(offsets: GoOffsets, channels: GoChannels): DataView<ArrayBuffer> {
  const value = new DataView(new ArrayBuffer(goLayoutBytes));
  value.setInt32(at.tlsOffset, offsets.tlsOffset, true);
  value.setUint16(at.goidAt, offsets.goidAt, true);
  value.setUint16(at.parentAt, offsets.parentAt, true);
  value.setUint16(at.startpcAt, offsets.startpcAt, true);
  value.setUint16(at.curgAt, offsets.curgAt, true);
  value.setUint16(at.stackArgs, offsets.stackArgs ? 1 : 0, true);
  value.setUint16(at.spawnResultAt, offsets.spawnResultAt, true);
  value.setUint16(at.savedFrameAt, offsets.savedFrameAt, true);
  value.setUint16(at.receiveIndexAt, offsets.receiveIndexAt, true);
  value.setBigUint64(at.channelsFrom, channels.from, true);
  value.setBigUint64(at.channelsTo, channels.to, true);
  return value;
}

function keyOf(tgid: number, { entry }: GoFunctionRole): DataView<ArrayBuffer> {
  const key = new DataView(new ArrayBuffer(goFunctionBytes));
  key.setBigUint64(goFunctionAt.entry, entry, true);
  key.setUint32(goFunctionAt.tgid, tgid, true);
  return key;
}

function valueOf({ role, receiverAt }: GoFunctionRole): DataView<ArrayBuffer> {
  const value = new DataView(new ArrayBuffer(goFunctionRoleBytes));
  value.setUint32(goFunctionRoleAt.role, goRole[role], true);
  value.setUint32(goFunctionRoleAt.receiverAt, receiverAt, true);
  return value;
}
