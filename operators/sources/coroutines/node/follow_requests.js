// SPDX-License-Identifier: Apache-2.0
// What runs inside a Node program under `--node-context`: it follows each request that an HTTP
// server of the program reads through callbacks, timers and promises, and says in a cell of memory
// for which of them a socket is written to. The kernel side reads that cell; nothing is sent.
//
// A context is a number per request. It passes on as those of AsyncLocalStorage do, with one
// difference: what a socket reads belongs to nobody until HTTP or a promise says whose it is,
// because connections are shared. 0: not known.
//
// The cell, in words of 32 bits: 0-3 a mark by which it is found; 4 the context that writes; 6 how
// many entries were made; from 16 on the entries, four words each, used in turn: context, what it
// does (BEGINS, SENDS), number of the stream, descriptor of the socket.
//
// The file is one expression: a function that is called with Node's require, the mark, and the
// number of the tracer's process where that means the same here, else 0. It returns "" or why it
// could not begin.
(function followRequests(require, mark, tracer) {
  const STATE = Symbol.for("spandrel.requests");
  const CONTEXT = Symbol("spandrel.context");
  const ENTRIES = 1024;
  const [BEGINS, SENDS] = [4, 3];
  const [WRITER, COUNT, FIRST] = [4, 6, 16];
  const LOOK_MS = 5_000;

  globalThis[STATE]?.stop();
  if (mark === null) return "";
  if (Number.parseInt(process.versions.node, 10) < 16) return `it is Node ${process.version}`;
  const { createHook, executionAsyncResource } = require("async_hooks");
  const http = require("http");
  const http2 = require("http2");
  const net = require("net");
  const { Duplex } = require("stream");
  const { TCP } = process.binding("tcp_wrap");
  const { Pipe } = process.binding("pipe_wrap");
  const { UDP } = process.binding("udp_wrap");
  const { ChannelWrap } = process.binding("cares_wrap");

  const cell = new Uint32Array(new ArrayBuffer(4 * (FIRST + 4 * ENTRIES)));
  const undo = [];
  let last = 0;

  const now = () => executionAsyncResource()[CONTEXT] ?? 0;

  function note(context, what, stream, socket) {
    const at = FIRST + 4 * (cell[COUNT] % ENTRIES);
    cell[at] = context;
    cell[at + 1] = what;
    cell[at + 2] = stream;
    cell[at + 3] = socket?._handle?.fd ?? -1;
    cell[COUNT]++;
  }

  /** Runs with another context, for all that is begun meanwhile too. */
  function within(context, run) {
    const resource = executionAsyncResource();
    const before = resource[CONTEXT];
    resource[CONTEXT] = context;
    try {
      return run();
    } finally {
      resource[CONTEXT] = before;
    }
  }

  /** Replaces a method until the end. */
  function replace(object, name, make) {
    const own = Object.getOwnPropertyDescriptor(object, name);
    const original = object[name];
    if (typeof original !== "function") return;
    const made = make(original);
    Object.defineProperty(object, name, { configurable: true, writable: true, value: made });
    undo.push(() => {
      if (object[name] !== made) return;
      if (own === undefined) delete object[name];
      else Object.defineProperty(object, name, own);
    });
  }

  /** While this method runs, the cell says for whom. */
  function says(object, name, contextOf) {
    replace(object, name, (original) =>
      function (...given) {
        cell[WRITER] = contextOf(this);
        try {
          return Reflect.apply(original, this, given);
        } finally {
          cell[WRITER] = 0;
        }
      });
  }

  // What is shared by requests passes no context on: what it reads may be for anyone.
  const shared = new Set([
    ...["TCPWRAP", "PIPEWRAP", "TLSWRAP", "UDPWRAP", "TTYWRAP", "HTTP2SESSION", "MESSAGEPORT"],
    ...["TCPSERVERWRAP", "PIPESERVERWRAP", "HTTPINCOMINGMESSAGE", "DNSCHANNEL", "WORKER"],
  ]);
  const hook = createHook({
    init(_id, type, _trigger, resource) {
      if (shared.has(type)) return;
      // What throws in a hook ends the program, and objects of others may throw at anything.
      try {
        const context = executionAsyncResource()[CONTEXT];
        if (context !== undefined && Object.isExtensible(resource)) resource[CONTEXT] = context;
      } catch { /* It has no context then. */ }
    },
  });

  // Requests begin.
  replace(net.Server.prototype, "emit", (emit) =>
    function (event, ...given) {
      const [first, second] = given;
      const isStream = event === "stream" && first?.id > 0;
      const isRequest = event === "request" || event === "checkContinue" || event === "upgrade";
      if (!isStream && (!isRequest || !(first?.httpVersionMajor < 2))) {
        return Reflect.apply(emit, this, [event, ...given]);
      }
      const context = last = last % 0xffffffff + 1;
      note(
        context,
        BEGINS,
        isStream ? first.id : 0,
        isStream ? first.session?.socket : first.socket,
      );
      if (!isStream && second !== null && typeof second === "object") second[CONTEXT] = context;
      return within(context, () => Reflect.apply(emit, this, [event, ...given]));
    });
  // An answer that had to wait for those before it on its connection.
  replace(http.ServerResponse.prototype, "assignSocket", (assign) =>
    function (...given) {
      const context = this[CONTEXT];
      if (context === undefined) return Reflect.apply(assign, this, given);
      return within(context, () => Reflect.apply(assign, this, given));
    });

  // Bytes that a socket holds back are written later, when another context runs.
  const held = new WeakMap();
  replace(net.Socket.prototype, "write", (write) =>
    function (...given) {
      const context = now();
      if (!this.writableLength) held.set(this, context);
      else if (held.get(this) !== context) held.set(this, 0);
      return Reflect.apply(write, this, given);
    });
  const handle = new TCP(0);
  new net.Socket({ handle, manualStart: true }).on("error", () => {}).destroy();
  const owner = Object.getOwnPropertySymbols(handle)
    .find(({ description }) => description === "owner_symbol");
  const writes = ["writeBuffer", "writev", "writeUtf8String", "writeAsciiString"];
  for (const name of [...writes, "writeLatin1String", "writeUcs2String"]) {
    const objects = new Set([TCP, Pipe].map(({ prototype }) => keeperOf(prototype, name)));
    for (const object of objects) {
      says(object, name, (writer) => held.get(writer[owner]) ?? now());
    }
  }
  for (const name of ["send", "send6"]) says(UDP.prototype, name, now);
  for (const name of Object.getOwnPropertyNames(ChannelWrap.prototype)) {
    if (name.startsWith("query") || name === "getHostByAddr") {
      says(ChannelWrap.prototype, name, now);
    }
  }

  function keeperOf(object, name) {
    while (object !== null && !Object.hasOwn(object, name)) object = Object.getPrototypeOf(object);
    return object ?? {};
  }

  // Requests of HTTP/2 share a connection, and are written later, several at once.
  const nowhere = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() });
  const session = http2.connect("http://localhost", { createConnection: () => nowhere });
  session.on("error", () => {}).destroy();
  replace(Object.getPrototypeOf(session), "request", (request) =>
    function (...given) {
      const stream = Reflect.apply(request, this, given);
      const context = now();
      const tell = () => note(context, SENDS, stream.id, this.socket);
      if (context === 0) return stream;
      if (stream.id > 0) tell();
      else stream.once("ready", tell);
      return stream;
    });

  const timer = tracer === 0 ? null : setInterval(() => {
    try {
      process.kill(tracer, 0);
    } catch (error) {
      if (error.code === "ESRCH") stop();
    }
  }, LOOK_MS).unref();

  function stop() {
    hook.disable();
    for (const each of undo) each();
    clearInterval(timer);
    cell.fill(0);
    delete globalThis[STATE];
  }

  const state = { stop, cell };
  Object.defineProperty(globalThis, STATE, { configurable: true, value: state });
  hook.enable();
  cell.set(mark);
  return "";
});
