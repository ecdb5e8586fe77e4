// SPDX-License-Identifier: Apache-2.0
// Tasks of event loops: the loop reads requests for all of them, so that whose a request is shows
// only when it is answered. Who answers had worked for that request since it was read, and so had
// whoever it awaits.
//
// In most programs one task serves a connection as long as that lives. Where that has shown, a
// task's request is known as soon as it is read.

import { type CoroutineBirth, isContext, LIKELY_STARTER } from "../../../model/capture_record.ts";
import { LIMITS } from "../../../model/limits.ts";
import type { MessageSeen } from "../../../model/message.ts";
import type { Call, ProgramState, Work } from "../program.ts";
import { joinReadLine } from "./read_line.ts";

export interface Tasks {
  readonly byNumber: Map<bigint, Task>;
  /** Itself, who awaits it, who awaits that one … */
  readonly awaiters: Map<bigint, readonly bigint[]>;
  /** Requests that were read and not answered in whole, by connection, in order. */
  readonly lines: Map<number, Work[]>;
  /** Tasks that were most likely started by one that had just sent something: who, and when. */
  readonly followers: Map<bigint, { readonly sender: bigint; readonly sentNs: number }>;
  /** How many of those had been started right after an answer, and how many not. */
  afterAnswer: number;
  afterElse: number;
  /** Who answered last on a connection. */
  readonly answerers: Map<number, bigint>;
  /** How often the same task answered on a connection as before, and how often another one. */
  same: number;
  other: number;
}

interface Task {
  /** The only connection on which it has answered; null before, and if there are several. */
  conn: number | null;
  hasAnswered: boolean;
  /** What it has answered last. */
  last: Work | null;
  /** What it has answered before, and when the answers began. */
  answers: Answer[];
  /** Calls of its own, and of tasks that it awaits, of which is not known whose they are. */
  open: Call[];
}

/** From when it was written to when it was sent. */
interface Answer {
  readonly work: Work;
  readonly fromNs: number;
  readonly toNs: number;
}

export function startTasks(): Tasks {
  return {
    byNumber: new Map(),
    awaiters: new Map(),
    lines: new Map(),
    followers: new Map(),
    afterAnswer: 0,
    afterElse: 0,
    answerers: new Map(),
    same: 0,
    other: 0,
  };
}

const numberOf = ({ exchange: { request } }: Work | Call): bigint => request?.coroutine ?? 0n;

/** A request that a loop has read, of which a task may turn out to be the one that answers. */
const isForTasks = ({ thread, exchange }: Work): boolean =>
  !thread.isCoroutine && exchange.request?.coroutine === 0n;

/** A task has sent it, of which is not known for whom: that may still be told. */
export function isOpen(call: Call, { tasks }: ProgramState): boolean {
  if (call.told !== null) return false;
  return tasks.byNumber.get(numberOf(call))?.open.includes(call) ?? false;
}

export function noteAwaiters(line: readonly CoroutineBirth[], { tasks }: ProgramState): void {
  const numbers = line.map(({ coroutine }) => coroutine);
  const likely = numbers.findIndex((number) => number >= LIKELY_STARTER);
  const known = likely < 0 ? numbers : numbers.slice(0, likely);
  const [self] = known;
  if (self === undefined || line.length < 2) return;
  keep(tasks.awaiters, self, known);
  const started = line[likely - 1];
  if (started === undefined || tasks.followers.has(started.coroutine)) return;
  const sender = (numbers[likely] ?? 0n) - LIKELY_STARTER;
  const follower = { sender, sentNs: Number(started.bornNs) };
  keep(tasks.followers, started.coroutine, follower);
  if (answeredBy(follower, tasks) === null) tasks.afterElse++;
  else tasks.afterAnswer++;
}

/** The request whose answer was sent then. */
function answeredBy(
  { sender, sentNs }: { readonly sender: bigint; readonly sentNs: number },
  { byNumber }: Tasks,
): Work | null {
  const answers = byNumber.get(sender)?.answers ?? [];
  const found = answers.find(({ fromNs, toNs }) =>
    sentNs > fromNs - sameNs && sentNs < toNs + sameNs
  );
  return found?.work ?? null;
}

/** Two readings of the clock about one send are not further apart. */
const sameNs = 20_000;

/** What is started right after answers, and nowhere else unseen, goes on with what was answered. */
function goesOn(line: readonly bigint[], tasks: Tasks): Work | null {
  const { followers, afterAnswer, afterElse } = tasks;
  if (afterAnswer < followersFrom || afterElse * followersShare > afterAnswer) return null;
  const number = line.find((each) => followers.has(each));
  const follower = number === undefined ? undefined : followers.get(number);
  return follower === undefined ? null : answeredBy(follower, tasks);
}

/** Who answers requests itself was started by the loop, for a connection, whatever came before. */
function noteNoFollower(coroutine: bigint, tasks: Tasks): void {
  const follower = tasks.followers.get(coroutine);
  if (follower === undefined || answeredBy(follower, tasks) === null) return;
  tasks.afterAnswer--;
  tasks.afterElse++;
}

const followersFrom = 20;
const followersShare = 20;

export function joinTasks(work: Work, { tasks: { lines } }: ProgramState): void {
  if (!isForTasks(work)) return;
  joinReadLine(lines, work.exchange.connection.conn, work);
}

/** Whose work a task does that sends a call: its own request, or that of who awaits it. */
export function tellTask(call: Call, program: ProgramState): void {
  const number = numberOf(call);
  if (call.told !== null || number === 0n || isContext(number)) return;
  if (call.thread.readsRequests) return;
  const { tasks, works } = program;
  const last = works.at(-1);
  if (last === undefined || !isForTasks(last)) return;
  const line = tasks.awaiters.get(number) ?? [number];
  const answerer = line.find((each) => tasks.byNumber.get(each)?.hasAnswered);
  const work = answerer === undefined
    ? goesOn(line, tasks)
    : inHand(taskOf(answerer, tasks), call.sentNs, tasks);
  if (work !== null) return tell(call, work);
  for (const each of line) {
    const task = taskOf(each, tasks);
    task.open = task.open.filter(({ told, decision }) => told === null && decision === null);
    if (task.open.length < openMax) task.open.push(call);
  }
}

/** What a task works on, as far as that is sure before it has answered. */
function inHand({ conn, last }: Task, atNs: number, tasks: Tasks): Work | null {
  if (last !== null && last.endNs === Infinity) return last;
  if (conn === null || !servesConnections(tasks)) return null;
  const waiting = (tasks.lines.get(conn) ?? []).filter(({ endNs }) => endNs === Infinity);
  const [first] = waiting;
  if (first !== undefined) {
    return waiting.length === 1 || first.exchange.request?.message.id === null ? first : null;
  }
  return last !== null && atNs < last.endNs + afterNs ? last : null;
}

/** A task serves a connection as long as that lives: so it was as good as always. */
const servesConnections = ({ same, other }: Tasks): boolean =>
  same >= sameFrom && other * otherShare <= same;

const sameFrom = 8;
const otherShare = 100;

/** A task has begun to write the answer: what it has sent since the request was read was for it. */
export function noteAnswer(
  work: Work,
  { coroutine, startNs, emitNs }: MessageSeen,
  program: ProgramState,
): void {
  if (coroutine === 0n || isContext(coroutine) || !isForTasks(work)) return;
  const { tasks } = program;
  const { conn } = work.exchange.connection;
  const task = taskOf(coroutine, tasks);
  const before = tasks.answerers.get(conn);
  if (before === coroutine) tasks.same++;
  else if (before !== undefined) tasks.other++;
  keep(tasks.answerers, conn, coroutine);
  for (const call of task.open) {
    if (call.told !== null || call.decision !== null) continue;
    const whose = call.sentNs >= work.readNs ? work : task.last;
    if (whose === null || call.sentNs > whose.endNs + afterNs) continue;
    tell(call, whose);
    work.claimed.push(call);
  }
  task.open = [];
  task.conn = task.hasAnswered && task.conn !== conn ? null : conn;
  if (!task.hasAnswered) noteNoFollower(coroutine, tasks);
  task.hasAnswered = true;
  const answer = { work, fromNs: Number(startNs), toNs: Number(emitNs) };
  task.answers = [...task.answers.slice(-answersMax), answer];
  task.last = work;
}

const afterNs = LIMITS.linkAfterMs.value * 1e6;

function tell(call: Call, work: Work): void {
  call.told = work;
  call.holder = work;
  call.lastRequest = work;
}

function taskOf(number: bigint, { byNumber }: Tasks): Task {
  const known = byNumber.get(number);
  if (known !== undefined) {
    keep(byNumber, number, known);
    return known;
  }
  const task: Task = { conn: null, hasAnswered: false, last: null, answers: [], open: [] };
  keep(byNumber, number, task);
  return task;
}

/** Answers of one task that are remembered for those that it has started. */
const answersMax = 3;

/** Calls of one task that wait to be told whose they are. */
const openMax = 256;

/** Bounded: what was not used for longest is forgotten. */
function keep<K, V>(map: Map<K, V>, key: K, value: V): void {
  map.delete(key);
  if (map.size >= LIMITS.linkCoroutines.value) {
    const oldest = map.keys().next();
    if (!oldest.done) map.delete(oldest.value);
  }
  map.set(key, value);
}
