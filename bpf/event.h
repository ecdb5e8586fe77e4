/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The ABI between the kernel programs and user space: every record of the ring, every map value
 * that both sides touch. event.gen.ts holds the same layout for TypeScript, generated from the BTF
 * of the built object.
 *
 * Rules: little endian; every struct is a multiple of 8 bytes with its padding written out; 8-byte
 * fields are 8-byte aligned; text is cut at its field and NUL-padded; times are CLOCK_BOOTTIME in
 * nanoseconds unless the name says otherwise; 0 means "not known" where a field may be unknown.
 * A record of the ring is header.size bytes long; a ring slot may be longer: ignore the rest.
 */
#ifndef SPANDREL_EVENT_H
#define SPANDREL_EVENT_H

#define COMM_BYTES 16
#define PATH_BYTES 256
#define ARGS_BYTES 512
#define UNIX_PATH_BYTES 112 /* sun_path is 108 */
#define PAYLOAD_BYTES_MAX 16384 /* of one record */

enum event_kind {
	EVENT_DATA = 1,     /* struct data_event + payload: one message, or a piece of one */
	EVENT_CLOSE = 2,    /* struct close_event: end of a socket */
	EVENT_PROCESS = 3,  /* struct process_event */
	EVENT_ACTIVITY = 4, /* struct activity_event */
	EVENT_UNIX = 5,     /* struct unix_event: names of a unix socket, once, before its data */
	EVENT_COROUTINE = 6, /* struct coroutine_event: who started a coroutine, once */
	EVENT_CONNECT = 7,  /* struct connect_event: a thread began to connect a TCP socket */
};

/*
 * First part of every record. The program key is (tgid, leader_start_ns, exec_count): it changes at
 * exec and is never reused. Subject is the task that made the call; of a close the last task that
 * did I/O on the socket, of a fork the child.
 */
struct event_header {
	__u32 size;            /* bytes of the record, header and payload included */
	__u8 kind;             /* enum event_kind */
	__u8 ring;             /* index of the ring that carries it; one ring now, so 0 */
	__u16 reserved;        /* 0 */
	__u64 emit_ns;         /* end of the call: the order of the stream */
	__u64 leader_start_ns; /* start_boottime of the thread group's leader */
	__u32 tgid;            /* in the initial pid namespace, as all ids of this header */
	__u32 tid;             /* 0 in close events */
	__u32 exec_count;      /* task_struct.self_exec_id: rises by one at each exec */
	__u32 turn;            /* of the thread; rises at each return of a poll call and at each ingress
	                          of an ignored socket; wraps */
	__u64 cgroup_id;       /* cgroup v2 id; 0 in close events */
	char comm[COMM_BYTES]; /* thread's name, NUL-terminated; empty in close events. Data events show
	                          it, and the cgroup, up to 64 events late */
};

enum direction {
	DIRECTION_INGRESS = 0, /* the process reads */
	DIRECTION_EGRESS = 1,  /* the process writes */
};

enum role {
	ROLE_UNKNOWN = 0,
	ROLE_CLIENT = 1, /* this socket connected */
	ROLE_SERVER = 2, /* this socket was accepted, or its port is listening (seeded sockets) */
};

enum via {
	VIA_CALL = 0, /* one of the ten calls */
	VIA_SENDFILE = 1,
	VIA_SPLICE = 2,
	VIA_IO_URING = 3,
	VIA_OTHER = 4, /* a kernel thread, or a call not foreseen */
};

/* The ten calls, numbered by us so that compat callers and other architectures agree. */
enum call {
	CALL_NONE = 0, /* via is not VIA_CALL */
	CALL_READ = 1,
	CALL_READV = 2,
	CALL_RECVFROM = 3,
	CALL_RECVMSG = 4,
	CALL_RECVMMSG = 5,
	CALL_WRITE = 6,
	CALL_WRITEV = 7,
	CALL_SENDTO = 8,
	CALL_SENDMSG = 9,
	CALL_SENDMMSG = 10,
};

enum data_flags {
	DATA_EOF = 1 << 0,              /* a read returned 0 on a connected stream; length is 0 */
	DATA_SEQ_VALID = 1 << 1,        /* tcp_seq is the exact number of the first byte */
	DATA_SEQ_UNCERTAIN = 1 << 2,    /* tcp_seq raced with another writer or reader; never with VALID */
	DATA_MMSG = 1 << 3,             /* one of several messages of the call: see mmsg_index */
	DATA_UNREADABLE = 1 << 4,       /* the user page was not resident: captured is short for that */
	DATA_CLIPPED = 1 << 5,          /* captured < length, whatever the reason */
	DATA_NO_BUFFER = 1 << 6,        /* no visible buffer: sendfile, splice, io_uring read */
	DATA_PEER_OF_MESSAGE = 1 << 7,  /* not connected: flow's peer is of this datagram only */
	DATA_BUDGET_SPENT = 1 << 8,     /* no payload because the socket's byte budget is used up */
	DATA_COMPAT = 1 << 9,           /* 32-bit caller */
	DATA_START_KNOWN = 1 << 10,     /* call_start_ns was measured; otherwise it equals emit_ns */
	DATA_OVER = 1 << 11,            /* with EOF: neither end can write any more */
};

/* Who talks to whom: identity and ends of a socket, stamped on every record of it. */
struct socket_flow {
	__u64 cookie;          /* the socket: unique per boot */
	__u64 peer_cookie;     /* unix: the socket at the other end; else 0 */
	__u64 conn_start_ns;   /* connection established, or first seen for udp and unix; 0 when older
	                          than the tracer */
	__u32 netns;           /* inode number of the network namespace */
	__u16 local_port;      /* host order */
	__u16 peer_port;
	__u16 family;          /* AF_UNIX 1, AF_INET 2, AF_INET6 10 */
	__u8 type;             /* SOCK_STREAM 1, SOCK_DGRAM 2, SOCK_SEQPACKET 5 */
	__u8 protocol;         /* IPPROTO_TCP 6, IPPROTO_UDP 17, 255 = beyond a byte; unix 0 */
	__u8 role;             /* enum role */
	__u8 joined_midstream; /* older than the tracer: stream offset 0 = first byte seen */
	__u16 reserved;        /* 0 */
	__u8 local_addr[16];   /* network order; AF_INET in the first 4 bytes, the rest 0 */
	__u8 peer_addr[16];
};

/*
 * One successful call on a socket (one message of an mmsg call); payload follows the struct. A
 * large call on a stream with VERDICT_WHOLE comes in pieces, in order: data events of one emit_ns
 * that follow upon each other in stream_offset and tcp_seq, each as long as what was copied of it,
 * the last one as long as all that is left.
 */
struct data_event {
	struct event_header header;
	struct socket_flow flow;
	__u64 call_start_ns; /* start of the call; see DATA_START_KNOWN */
	__u64 stream_offset; /* bytes that passed in this direction before the first of these.
	                        unix: egress offset of one end = ingress offset of the other */
	__u64 bytes_ingress; /* of the socket, this call included */
	__u64 bytes_egress;
	__u32 length;        /* bytes that passed */
	__u32 captured;      /* bytes of payload after this struct, <= length */
	__u32 tcp_seq;       /* of the first byte; see DATA_SEQ_* */
	__u32 flags;         /* enum data_flags */
	__s32 fd;            /* -1 when not known */
	__u16 mmsg_index;    /* position within one recvmmsg/sendmmsg call */
	__u8 direction;      /* enum direction */
	__u8 via;            /* enum via */
	__u8 call;           /* enum call */
	__u8 verdict;        /* enum verdict in force */
	__u16 coroutine_high; /* on whose behalf: see struct coroutine_event; 0 = not known */
	__u32 coroutine_low;
};

enum close_reason {
	CLOSE_ORDERLY = 0, /* both FINs, or closed here */
	CLOSE_RESET = 1,   /* RST seen or sent */
	CLOSE_TIMEOUT = 2, /* retransmission or keep-alive gave up */
};

/* End of a TCP socket (no other family has a hook that tells its end). */
struct close_event {
	struct event_header header;
	struct socket_flow flow;
	__u64 bytes_ingress;
	__u64 bytes_egress;
	__u64 events;      /* calls counted on the socket, whatever the verdict */
	__u32 error;       /* errno of the socket, 0 if none */
	__u32 srtt_us;     /* smoothed round trip time at the end */
	__u32 retransmits; /* segments sent again over its life */
	__u8 reason;       /* enum close_reason */
	__u8 reserved[3];  /* 0 */
};

enum process_what {
	PROCESS_SEEN = 0, /* older than the tracer: from the iterator, not from the ring */
	PROCESS_FORK = 1, /* a new process (not a thread); subject is the child, comm the parent's */
	PROCESS_EXEC = 2, /* exec succeeded; the header holds the key after it */
	PROCESS_EXIT = 3, /* the last thread is gone */
};

struct process_facts {
	__u64 parent_start_ns; /* leader start of the parent: (ppid, this) names it */
	__u32 what;            /* enum process_what */
	__u32 ppid;
	__u32 inner_pid;       /* in its innermost pid namespace */
	__u32 pid_ns;          /* inode numbers of the namespaces */
	__u32 net_ns;
	__u32 mnt_ns;
	__u32 exit_status;     /* as wait(2) gives it; 0 unless EXIT */
	__u32 uid;             /* real, in the initial user namespace */
	__u32 filename_bytes;  /* without the NUL; 0 unless EXEC */
	__u32 args_bytes;      /* NUL-separated, may be cut in a word; 0 unless EXEC */
};

struct process_event {
	struct event_header header;
	struct process_facts facts;
	char filename[PATH_BYTES]; /* as given to exec */
	char args[ARGS_BYTES];
};

/* What the iterator seed_processes writes for each process that is there. */
struct process_seed {
	struct event_header header; /* turn, ring and emit_ns are 0 */
	struct process_facts facts;
	__u64 usr1_handler; /* address in the process; 0 = SIGUSR1 would end it, 1 = ignored */
};

enum activity_what {
	ACTIVITY_THREAD_EXIT = 1, /* a thread that did socket I/O ended */
	ACTIVITY_WAKEUP = 2,      /* a thread that did socket I/O woke another one of its program */
	ACTIVITY_TURN = 3,        /* reserved */
	ACTIVITY_COROUTINE = 4,   /* reserved */
};

struct activity_event {
	struct event_header header;
	__u64 coroutine;   /* reserved, 0 */
	__u32 what;        /* enum activity_what */
	__u32 other_tid;   /* WAKEUP: the woken thread */
};

/* In place of who started it: who had sent something right before it was started. */
#define COROUTINE_LIKELY (1ULL << 63)

/* A coroutine, unique in its program, below 2^48: for Go the goroutine's id. */
struct coroutine_birth {
	__u64 coroutine; /* 0 = not known */
	__u64 born_ns;   /* when it was started, or first seen; 0 = not known */
};

#define COROUTINE_LINE 6

/* Marks the number of a context of Node: many of them are in the hands of one thread. */
#define COROUTINE_CONTEXT (1ULL << 46)

/* What a coroutine does from now on for a connection that many requests share. */
enum coroutine_task {
	COROUTINE_TASK_NONE = 0,    /* nothing of the kind, or not told apart */
	COROUTINE_TASK_READS = 1,   /* reads all that comes */
	COROUTINE_TASK_HANDLES = 2, /* works on the request of a stream */
	COROUTINE_TASK_SENDS = 3,   /* sends the request of a stream, which another may write */
	COROUTINE_TASK_BEGINS = 4,  /* the next request of a connection, its cookie, or of a stream */
	COROUTINE_TASK_GIVEN = 5,   /* works on what came through a channel: the next in the line is
	                               who gave it, and born_ns of the first is when; none: nobody */
};

/* Comes before the first data event that bears the coroutine's number, and with each new task. */
struct coroutine_event {
	struct event_header header;
	struct coroutine_birth line[COROUTINE_LINE]; /* itself, who started it, who started that … */
	__u64 object; /* of a task: what the program keeps for the connection, by its address */
	__u32 stream; /* of a task: the number of the stream; GIVEN: 1 = to a loop of the outermost
	                 function, as workers have one */
	__u32 task;   /* enum coroutine_task */
};

/* Precedes the first data event of the socket; its own port is not known yet. */
struct connect_event {
	struct event_header header;
	struct socket_flow flow;
};

/* Names of a unix socket; precedes its first data event. Abstract names start with NUL. */
struct unix_event {
	struct event_header header;
	__u64 cookie;
	__u64 peer_cookie;
	__u32 local_bytes; /* 0 = no name */
	__u32 peer_bytes;
	char local[UNIX_PATH_BYTES];
	char peer[UNIX_PATH_BYTES];
};

/* What to do with a socket; user space writes verdicts[cookie], the kernel starts at PENDING. */
enum verdict {
	VERDICT_PENDING = 0, /* as PREFIX, and ask verdicts[cookie] again at each event */
	VERDICT_PREFIX = 1,  /* copy the first bytes of each call */
	VERDICT_ALL = 2,     /* copy everything, up to 16 KiB a call, within the budget */
	VERDICT_COUNT = 3,   /* records without payload */
	VERDICT_IGNORE = 4,  /* no records; ingress still bumps the turn */
	VERDICT_WHOLE = 5,   /* as ALL, but large calls on streams in several records */
};

/* Why something is not in the ring: indices of the per-CPU array `drops`. */
enum drop_reason {
	DROP_RING_FULL = 0,
	DROP_SOCKET_STORAGE = 1,     /* no memory for the state of a socket */
	DROP_TASK_STORAGE = 2,       /* no memory for the state of a task */
	DROP_PAYLOAD_UNREADABLE = 3, /* record sent, payload short */
	DROP_ENTER_WITHOUT_EXIT = 4, /* portable path: a call was entered twice without an exit */
	DROP_BUDGET = 5,             /* record sent, payload left out: byte budget spent */
	DROP_MMSG = 6,               /* portable path: message beyond the 32nd of one mmsg call */
	DROP_RING_PRESSURE = 7,      /* record sent, a large call cut after its head: ring filling up */
};
#define DROP_REASONS 8

/* Whether a program is recorded: values of the map `programs`, keyed by thread group. */
enum program_rule {
	RULE_INCLUDE = 1,      /* with its descendants; counts only with the knob filter_programs */
	RULE_EXCLUDE = 2,      /* itself only: its children are recorded */
	RULE_EXCLUDE_TREE = 3, /* with its descendants */
};

#include "runtimes.h"

/* Switches; user space maps them as the map .data.control. Generations start at 1 and only rise. */
struct control {
	__u32 sleeping;           /* 1: user space waits on epoll; the next record wakes it, clears it */
	__u32 paused;             /* 1: attached but not recording */
	__u32 verdict_generation; /* rises when verdicts changed for sockets that are not pending */
	__u32 program_generation; /* rises when `programs` changed */
	__u32 wants_send_start;   /* 1: a message needs what the hook tcp_sendmsg_locked gives */
	__u32 reserved;
};

#define ABI_ASSERT(type, bytes) \
	_Static_assert(sizeof(type) == (bytes) && (bytes) % 8 == 0, #type " changed size")
ABI_ASSERT(struct event_header, 64);
ABI_ASSERT(struct socket_flow, 72);
ABI_ASSERT(struct data_event, 64 + 72 + 32 + 32);
ABI_ASSERT(struct close_event, 64 + 72 + 24 + 16);
ABI_ASSERT(struct process_seed, 64 + 48 + 8);
ABI_ASSERT(struct process_event, 64 + 8 + 40 + PATH_BYTES + ARGS_BYTES);
ABI_ASSERT(struct activity_event, 64 + 16);
ABI_ASSERT(struct coroutine_event, 64 + 16 * COROUTINE_LINE + 16);
ABI_ASSERT(struct connect_event, 64 + 72);
ABI_ASSERT(struct go_layout, 40);
ABI_ASSERT(struct go_function, 16);
ABI_ASSERT(struct python_layout, 112);
ABI_ASSERT(struct go_function_role, 8);
ABI_ASSERT(struct unix_event, 64 + 24 + 2 * UNIX_PATH_BYTES);
ABI_ASSERT(struct control, 24);

#endif
