/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the programs remember of a socket and of a thread, and of the message in hand. */
#ifndef SPANDREL_STATE_BPF_H
#define SPANDREL_STATE_BPF_H

#define AF_UNIX 1
#define AF_INET 2
#define AF_INET6 10
#define SOCK_STREAM 1
#define SOCK_DGRAM 2
#define SOCK_SEQPACKET 5
#define IPPROTO_TCP 6
#define IPPROTO_UDP 17
#define IPPROTO_LARGE 255 /* stands for those beyond a byte: MPTCP is 262 */

/* The program that last did I/O on a socket: the subject of its close event. */
struct owner {
	__u64 leader_start_ns;
	__u32 tgid;
	__u32 exec_count;
};

/* The other end of one datagram, on a socket that is not connected. */
struct datagram_peer {
	__u8 addr[16];
	__u32 tid;  /* thread that reads it; 0 = none */
	__u16 port;
	__u16 reserved;
};

/* One direction of a socket: how far it has come. */
struct stream {
	__u64 offset;    /* bytes so far */
	__u64 placed_ns; /* last recorded message */
	__u32 seq_next;  /* TCP: number expected next */
	__u8 known;      /* 1: seq_next holds */
	__u8 dirty;      /* 1: two tasks raced, offsets are guesses until the sums meet */
	__u8 jump;       /* 1: bytes were ignored, the next may stand anywhere */
	__u8 reserved;
};

struct socket_state {
	struct socket_flow flow;
	struct owner owner;
	struct stream stream[2]; /* by enum direction */
	__u64 events;
	__u64 inode;          /* portable path: tells sockets of one address apart */
	__u64 last_ns;        /* last recorded event */
	__u64 window_ns;      /* start of the second that `spent` counts in */
	__u64 retry_ns;       /* a spent budget or an ignored socket is looked at again from here on */
	__u32 spent;          /* payload bytes recorded: in the second, or since pending */
	__u32 generation;     /* of control.verdict_generation, when the verdict was read */
	__u8 verdict;         /* enum verdict */
	__u8 last_direction;  /* 2 = none yet */
	__u8 outside;         /* 1: no wanted port, never recorded */
	__u8 backoff;         /* next retry comes after 1 << backoff seconds */
	__u8 ignored;         /* messages ignored, modulo 256 */
	__u8 probation;       /* messages to record before the old verdict may hold again */
	__u32 error;          /* errno at the end */
	__u8 reason;          /* enum close_reason */
	__u8 ended;           /* 1: its close event was due: nothing more is recorded */
	__u16 reserved;
	struct datagram_peer sender; /* of the datagram being read */
};

/* Where the bytes of a message lie in user memory. */
struct user_buffer {
	__u64 base;      /* first byte; 0 when vectored or not visible */
	__u64 bytes;     /* room at base */
	__u64 vector;    /* array of iovec; 0 when not vectored */
	__u32 segments;  /* entries of that array */
	__u32 compat;    /* 1: pointers and lengths are 32 bits wide */
	__u32 unreadable; /* 1: a page was not resident */
	__u32 segment;    /* of the array: the one that is copied next */
	__u64 within;     /* bytes of it that were copied */
};

/* A call between its enter and its exit: portable path. */
struct open_call {
	__u64 sock;     /* address of struct sock; 0 = no call on a socket is open */
	__u64 start_ns;
	__u64 args[6];
	__u32 seq;      /* write_seq or copied_seq before the call */
	__u32 call;     /* enum call */
	__u32 next;     /* mmsg calls: index of the message to record next */
	__u32 after;    /* the counter after the call if nobody else moved it */
};

/* A send in progress, from its first hit of tcp_sendmsg_locked. */
struct open_send {
	__u64 sock;      /* address of struct sock; 0 = none */
	__u64 start_ns;
	__u64 base;      /* its bytes, where one buffer holds them; else 0 */
	__u64 bytes;
	__u32 seq;       /* write_seq under the socket lock */
	__u32 reserved;
};

/* Where a thread of Python keeps the loop of asyncio that it runs: found once, then read. */
struct python_thread {
	__u64 is_known;   /* 1: it is told how tasks of its program are found */
	__u64 state;      /* 0 = look for it */
	__u64 keys;       /* of its dict, when the entry was found */
	__u64 loop_entry; /* 0 = look for it */
	__u64 sender;     /* task that sent last, if nothing was read since; 0 = none */
	__u64 sent_ns;
	__u64 task_count; /* tasks that had been named by then */
	__u64 job;        /* address of the variable with what it works on; 0 = look for it */
	__u64 job_looks;  /* how often that was looked for */
};

/* Where the thread of a Node program says for whom it writes. */
struct node_thread {
	__u64 cell;    /* 0 = it does not say */
	__u32 told;    /* entries of the cell that were told */
	__u32 is_met;  /* 0 = it was not read yet */
};

/* One message that passed a socket, on its way to become a data event. */
struct message {
	struct user_buffer buffer;
	__u64 start_ns;   /* 0 = not known */
	__u64 offset;
	__u64 coroutine;  /* on whose behalf; 0 = not known */
	__u64 name;       /* user address of the datagram's sockaddr; 0 = none */
	__u32 length;
	__u32 seq;
	__u32 flags;      /* enum data_flags */
	__s32 fd;
	__u16 mmsg_index;
	__u8 direction;
	__u8 via;
	__u8 call;
	__u8 discarded;   /* MSG_TRUNC on a stream: no byte was copied to the reader */
};

struct thread_state {
	struct event_header header; /* as of the last look: what does not change with each event */
	__u32 turn;
	__u32 generation;  /* of control.program_generation at that look; 0 = look again */
	__u32 wanted;      /* 1: to be recorded */
	__u32 age;         /* events since */
	struct go_layout go; /* goid_at is 0 where the program is not one of Go */
	__u64 coroutine;   /* goroutine met last on this thread; 0 = look again */
	__u64 acts_for;    /* the one on whose behalf it acts, mostly itself */
	__u64 mmsg_vector; /* mmsg call in progress; 0 = none */
	__u32 mmsg_next;   /* index of its next message */
	__u32 wakes_left;  /* wake-ups to tell until its next message */
	struct python_thread python;
	struct node_thread node;
	struct open_send send;
	struct open_call open;
	struct message message; /* in hand; not on the stack, of which there is too little */
};

/* On whose behalf something was sent through a channel, and when. */
struct given {
	__u64 giver; /* a coroutine; 0 = nobody's */
	__u64 given_ns;
	__u32 hops;   /* how often it was handed on since, by those who had received it */
	__u32 rounds; /* how often it came back to where it had been received */
};

/* Something that a goroutine has received. */
struct held {
	__u64 holder;
	__u64 site; /* where in the program */
	struct given given;
};

/* A coroutine of a program, or something else of it that has a number. */
struct coroutine_key {
	__u64 leader_start_ns;
	__u64 number;
	__u32 tgid;
	__u32 exec_count;
};

struct coroutine_state {
	__u64 parent;   /* 0 = not known */
	__u64 born_ns;
	struct given given; /* what it got last through a channel: see go_channel.bpf.h */
	__u64 receiver; /* role CALLER: the object that it serves */
	__u64 object;   /* connection of the task told last; 0 = none */
	__u32 stream;   /* its stream */
	__u32 reserved;
	__u32 role;     /* enum go_role */
	__u32 told;     /* 1: its event was sent */
	__u64 work_site;   /* where in the program it receives what it works on; 0 = not known */
	__u16 work_frames; /* calls that lead there */
	__u8 work_is_sure; /* 1: something came there from one that reads requests */
	__u8 reads;        /* 1: it reads requests itself, and is given none */
	__u8 rounds;       /* how often something came there, up to 2 */
	__u8 given_untold; /* 1: an event is due that says what it works on now */
	__u8 is_looping;   /* 1: that came to the outermost function, and may hold work */
	__u8 reserved_end;
};

/* A key of the map `listening`. */
struct listening_port {
	__u32 netns;
	__u32 port;
};

#endif
