// SPDX-License-Identifier: Apache-2.0
// Parsers of npm packages that take the bytes of a connection as they pass and make messages of
// them. They are made for one end of it: each gets the direction that it can read, and is told
// what it reads.

import { Buffer } from "node:buffer";
import { EventEmitter } from "node:events";
import amqpFrame from "amqplib/lib/frame.js";
import { deserialize } from "bson";
import { decode as decodeDns } from "dns-packet";
import hpackJs from "hpack.js";
import { HTTPParser } from "http-parser-js";
import { parser as mqttParser } from "mqtt-packet";
import { parse as parsePostgres } from "pg-protocol";
import RedisParser from "redis-parser";

export interface Library {
  readonly name: string;
  readonly protocol: string;
  /** What of it is compared. */
  readonly reads: "up" | "down" | "both";
  /** For one connection: what takes its bytes, call by call. */
  readonly open: () => (bytes: Buffer, up: boolean) => void;
}

const ignore = () => {};

export const LIBRARIES: readonly Library[] = [
  {
    name: "redis-parser",
    protocol: "redis",
    reads: "down",
    open() {
      const parser = new RedisParser({ returnReply: ignore, returnError: ignore });
      return (bytes) => parser.execute(bytes);
    },
  },
  {
    name: "dns-packet",
    protocol: "dns",
    reads: "both",
    open: () => (bytes) => void decodeDns(bytes),
  },
  {
    name: "http-parser-js",
    protocol: "http",
    reads: "both",
    open() {
      const parsers = [new HTTPParser("RESPONSE"), new HTTPParser("REQUEST")] as const;
      return (bytes, up) => {
        const result: unknown = parsers[up ? 1 : 0].execute(bytes);
        if (result instanceof Error) throw result;
      };
    },
  },
  {
    name: "pg-protocol",
    protocol: "postgresql",
    reads: "down",
    open() {
      const stream = new EventEmitter();
      parsePostgres(stream as unknown as NodeJS.ReadableStream, ignore);
      return (bytes) => void stream.emit("data", bytes);
    },
  },
  {
    name: "mqtt-packet",
    protocol: "mqtt",
    reads: "both",
    open() {
      const parsers = [mqttParser(), mqttParser()] as const;
      const fail = (error: Error) => {
        throw error;
      };
      for (const parser of parsers) parser.on("error", fail);
      return (bytes, up) => void parsers[up ? 1 : 0].parse(bytes);
    },
  },
  {
    name: "amqplib",
    protocol: "amqp",
    reads: "down",
    open: () => (bytes) => readFrames(bytes),
  },
  {
    name: "bson",
    protocol: "mongodb",
    reads: "both",
    open: () => (bytes) => readDocument(bytes),
  },
];

/** Frames of one call; decoded where they are more than bytes. */
function readFrames(bytes: Buffer): void {
  for (let rest = bytes; rest.length > 0;) {
    const frame = amqpFrame.parseFrame(rest);
    if (frame === false) throw new Error("Cannot compare: a frame goes on in the next call");
    amqpFrame.decodeFrame(frame);
    rest = frame.rest;
  }
}

/** Opcode, flags and kind of an OP_MSG with one document: behind them the library takes over. */
function readDocument(bytes: Buffer): void {
  const OP_MSG = 2_013, HEADER_BYTES = 21;
  const alone = bytes.length >= HEADER_BYTES && bytes.readInt32LE(0) === bytes.length &&
    bytes.readInt32LE(12) === OP_MSG &&
    bytes.readInt32LE(HEADER_BYTES) === bytes.length - HEADER_BYTES;
  if (!alone) throw new Error("Cannot compare: not one document");
  deserialize(bytes.subarray(HEADER_BYTES));
}

/** Header blocks of one direction of a connection. */
export function openHpack(): (block: Buffer) => void {
  const decompressor = hpackJs.decompressor.create({ table: { maxSize: 1 << 16 } });
  decompressor.updateTableSize(4_096);
  return (block) => {
    decompressor.write(block);
    decompressor.execute();
    while (decompressor.read() !== null);
  };
}
