// SPDX-License-Identifier: Apache-2.0
// Has Node programs say for which request they write: asks each for its debugger, has it evaluate
// follow_requests.js, has the debugger closed again, and tells the kernel side where to read. Only
// where that is asked for: it is the one thing that changes something in another process.

import type { HostFile } from "../../../../ffi/host_file.ts";
import type { HostFiles } from "../../../../ffi/host_files.ts";
import type { DebuggerPorts } from "../../../../ffi/runtimes/debugger_port.ts";
import type { NodePrograms } from "../../../../ffi/runtimes/node_programs.ts";
import type { ProcessFact } from "../../../../model/capture_record.ts";
import { evaluate } from "./evaluate.ts";
import { findCell, type Mark } from "./find_cell.ts";
import { listeningPorts } from "./listening_ports.ts";

export interface NodeHost {
  readonly programs: NodePrograms;
  readonly ports: DebuggerPorts;
  readonly files: Pick<HostFiles, "text" | "link">;
  readonly open: (path: string) => HostFile | undefined;
  /** Text of follow_requests.js. */
  readonly script: string;
  /** Of this process, by which the script sees that the tracer is gone. */
  readonly pid: number;
  readonly sleep: (ms: number) => Promise<void>;
  readonly nowMs: () => number;
  /** Why the signal must not be sent to a process; "" where it may. */
  readonly whyNot: (tgid: number) => string;
  /** Of a process that listens on these ports something is to be traced. */
  readonly isWanted: (tgid: number, listensOn: readonly number[]) => boolean;
}

/** A Node process, and why it does not say for whom it writes; "" where it does. */
export interface NodeSeen {
  readonly tgid: number;
  readonly exe: string;
  readonly gap: string;
}

export interface NodeWatch {
  /** A process that is there already. */
  readonly meet: (tgid: number, exe: string, parentTgid?: number) => void;
  readonly take: (fact: ProcessFact) => void;
  readonly seen: () => readonly NodeSeen[];
  /** Ends the scripts; resolves when all have ended, or do not answer. */
  readonly end: () => Promise<void>;
}

interface Process {
  readonly exe: string;
  gap: string;
  isFollowed: boolean;
}

const NODE = /(?:^|\/)node(?:js)?[0-9.]*$/;
const PROCESSES_MAX = 256;
const LOOK_MS = 5;
/** A program that does not answer for so long is busy, or stopped. */
const ANSWER_MS_MAX = 3_000;
/** The debugger is closed so long after the script has begun: its answer has gone out by then. */
const CLOSED_MS = 20;
/** Between two looks whether a program serves something; before it does, it is left alone. */
const STARTED_MS = 250;

export function nodeWatch(host: NodeHost): NodeWatch {
  const processes = new Map<number, Process>();
  let working: Promise<void> = Promise.resolve();
  let isEnding = false;

  function meet(tgid: number, exe: string, parentTgid = 0): void {
    processes.delete(tgid);
    if (isEnding || !NODE.test(exe) || processes.size >= PROCESSES_MAX) return;
    const process: Process = { exe, gap: "it has not been asked yet", isFollowed: false };
    processes.set(tgid, process);
    void begin(tgid, process, processes.has(parentTgid));
  }

  /** One after the other: they may want the same port. A program is waited for until it serves. */
  async function begin(tgid: number, process: Process, isWorker: boolean): Promise<void> {
    const isThere = () => !isEnding && processes.get(tgid) === process;
    const serves = () => {
      if (isWorker) return host.whyNot(tgid) === "";
      const ports = listeningPorts(tgid, host.files);
      return ports.length > 0 && host.isWanted(tgid, ports);
    };
    while (isThere() && !serves()) await host.sleep(STARTED_MS);
    working = working.then(() => isThere() ? follow(tgid, process) : undefined);
  }

  async function follow(tgid: number, process: Process): Promise<void> {
    try {
      const mark = newMark();
      await run(tgid, `[${mark}]`, host);
      const cell = cellIn(tgid, mark);
      if (cell === null) throw new Error("what it says was not found in its memory");
      host.programs.add(tgid, cell);
      process.isFollowed = true;
      process.gap = "";
    } catch (error) {
      process.gap = error instanceof Error ? error.message : String(error);
    }
  }

  function cellIn(tgid: number, mark: Mark): number | null {
    using memory = host.open(`/proc/${tgid}/mem`);
    const maps = host.files.text(`/proc/${tgid}/maps`);
    return memory === undefined || maps === undefined ? null : findCell(memory, maps, mark);
  }

  return {
    meet,
    take({ what, program: { tgid, exe, parentTgid } }) {
      if (what === "exit") processes.delete(tgid);
      // A child that has not begun a program of its own would be ended by the signal.
      else if (what === "exec") meet(tgid, exe, parentTgid);
    },
    seen: () => [...processes].map(([tgid, { exe, gap }]) => ({ tgid, exe, gap })),
    async end() {
      isEnding = true;
      await working;
      for (const [tgid, { isFollowed }] of processes) {
        if (!isFollowed) continue;
        host.programs.remove(tgid);
        await run(tgid, "null", host).catch(() => {});
      }
    },
  };
}

/** Opens the debugger, runs the script with a mark, or with null to end it, and has it closed. */
async function run(tgid: number, mark: string, host: NodeHost): Promise<void> {
  const before = listeningPorts(tgid, host.files);
  const whyNot = host.whyNot(tgid);
  if (whyNot !== "") throw new Error(whyNot);
  const endMs = host.nowMs() + ANSWER_MS_MAX;
  const pause = async () => {
    if (host.nowMs() > endMs) {
      throw new Error(`it has not answered within ${ANSWER_MS_MAX / 1000} seconds`);
    }
    await host.sleep(LOOK_MS);
  };
  if (!host.ports.ask(tgid)) throw new Error("it is gone");
  let port: number | undefined;
  while (port === undefined) {
    await pause();
    port = listeningPorts(tgid, host.files).find((each) => !before.includes(each));
  }
  const found = port;
  const target = { port: found, pause, connect: () => host.ports.connect(tgid, found) };
  const why = await evaluate(target, expressionOf(mark, tgid, host));
  if (why !== "") throw new Error(why);
  // The next one may be given the same port.
  while (listeningPorts(tgid, host.files).includes(found)) await pause();
}

function expressionOf(mark: string, tgid: number, { script, files, pid }: NodeHost): string {
  const isSame = files.link(`/proc/${tgid}/ns/pid`) === files.link(`/proc/${pid}/ns/pid`);
  const tracer = isSame ? pid : 0;
  // What is to run later must hold what it needs, and may not throw: that would end the program.
  return `(() => {
const load = typeof require === "function" ? require : process.getBuiltinModule;
const inspector = load("inspector");
const close = () => { try { inspector.close(); } catch {} };
try { return (${script.trim().replace(/;$/, "")}\n)(load, ${mark}, ${tracer}); }
finally { setTimeout(close, ${CLOSED_MS}); }
})()`;
}

function newMark(): Mark {
  const [a = 1, b = 1, c = 1, d = 1] = crypto.getRandomValues(new Uint32Array(4));
  return [a, b, c, d];
}
