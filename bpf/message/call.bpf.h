/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which of the ten calls is running, and where its bytes lie: x86-64 and its 32-bit callers. */
#ifndef SPANDREL_CALL_BPF_H
#define SPANDREL_CALL_BPF_H

#define MSG_PEEK 0x2
#define MSG_TRUNC 0x20
#define MSG_ERRQUEUE 0x2000

/* Arguments of a call in their order, whatever the register convention. */
struct call_args {
	__u64 arg[6];
	__u32 call;  /* enum call */
	__u32 via;   /* enum via */
	bool compat;
};

/* Layouts of user space, both word sizes. */
struct user_msghdr64 {
	__u64 name;
	__u64 name_bytes;
	__u64 vector;
	__u64 segments;
	__u64 control;
	__u64 control_bytes;
	__u64 flags;
};

struct user_msghdr32 {
	__u32 name;
	__u32 name_bytes;
	__u32 vector;
	__u32 segments;
	__u32 control;
	__u32 control_bytes;
	__u32 flags;
};

#define MMSGHDR64_BYTES 64
#define MMSGHDR32_BYTES 32

static __always_inline __u32 call_of_number(long nr, __u32 *via)
{
	switch (nr) {
	case 0: return CALL_READ;
	case 1: return CALL_WRITE;
	case 19: case 327: return CALL_READV; /* preadv2 at offset -1 is readv */
	case 20: case 328: return CALL_WRITEV;
	case 44: return CALL_SENDTO;
	case 45: return CALL_RECVFROM;
	case 46: return CALL_SENDMSG;
	case 47: return CALL_RECVMSG;
	case 299: return CALL_RECVMMSG;
	case 307: return CALL_SENDMMSG;
	case 40: *via = VIA_SENDFILE; return CALL_NONE;
	case 275: *via = VIA_SPLICE; return CALL_NONE;
	case 426: *via = VIA_IO_URING; return CALL_NONE;
	}
	*via = VIA_OTHER;
	return CALL_NONE;
}

/* i386 numbers; socketcall keeps its arguments in memory and is taken apart by the caller. */
static __always_inline __u32 call_of_compat_number(long nr, __u32 *via)
{
	switch (nr) {
	case 3: return CALL_READ;
	case 4: return CALL_WRITE;
	case 145: case 378: return CALL_READV;
	case 146: case 379: return CALL_WRITEV;
	case 369: return CALL_SENDTO;
	case 371: return CALL_RECVFROM;
	case 370: return CALL_SENDMSG;
	case 372: return CALL_RECVMSG;
	case 337: case 417: return CALL_RECVMMSG;
	case 345: return CALL_SENDMMSG;
	case 187: case 239: *via = VIA_SENDFILE; return CALL_NONE;
	case 313: *via = VIA_SPLICE; return CALL_NONE;
	case 426: *via = VIA_IO_URING; return CALL_NONE;
	}
	*via = VIA_OTHER;
	return CALL_NONE;
}

#define I386_SOCKETCALL 102

static __always_inline __u32 call_of_socketcall(__u32 which, __u32 *via)
{
	switch (which) {
	case 9: case 11: return CALL_SENDTO; /* send, sendto */
	case 10: case 12: return CALL_RECVFROM;
	case 16: return CALL_SENDMSG;
	case 17: return CALL_RECVMSG;
	case 19: return CALL_RECVMMSG;
	case 20: return CALL_SENDMMSG;
	}
	*via = VIA_OTHER;
	return CALL_NONE;
}

static __always_inline void read_compat_args(struct call_args *a, struct pt_regs *regs)
{
	__u32 nr = regs->orig_ax;

	a->compat = true;
	a->arg[0] = (__u32)regs->bx;
	a->arg[1] = (__u32)regs->cx;
	a->arg[2] = (__u32)regs->dx;
	a->arg[3] = (__u32)regs->si;
	a->arg[4] = (__u32)regs->di;
	a->arg[5] = (__u32)regs->bp;
	if (nr == I386_SOCKETCALL) {
		__u32 which = a->arg[0], words[6] = {};
		/* send and recv have four arguments, the others up to six; more words than the
		   caller passed are read from its stack and not used. */
		bpf_probe_read_user(words, sizeof(words), (void *)a->arg[1]);
		for (int i = 0; i < 6; i++)
			a->arg[i] = words[i];
		if (which == 9 || which == 10)
			a->arg[4] = 0;
		a->call = call_of_socketcall(which, &a->via);
	} else {
		a->call = call_of_compat_number(nr, &a->via);
	}
}

/* The call that the current task is in, from the registers it entered the kernel with. */
static __always_inline void read_args(struct call_args *a, struct task_struct *task)
{
	struct pt_regs *regs;

	a->via = VIA_CALL;
	a->compat = false;
	a->call = CALL_NONE;
	if (task->flags & PF_IO_WORKER) {
		a->via = VIA_IO_URING;
		return;
	}
	regs = (struct pt_regs *)bpf_task_pt_regs(task);
	if (task->thread_info.status & TS_COMPAT) {
		read_compat_args(a, regs);
		return;
	}
	a->arg[0] = regs->di;
	a->arg[1] = regs->si;
	a->arg[2] = regs->dx;
	a->arg[3] = regs->r10;
	a->arg[4] = regs->r8;
	a->arg[5] = regs->r9;
	a->call = call_of_number(regs->orig_ax, &a->via);
}

static __always_inline bool call_is_mmsg(__u32 call)
{
	return call == CALL_RECVMMSG || call == CALL_SENDMMSG;
}

static __always_inline void read_msghdr(struct message *m, __u64 address, bool compat)
{
	if (compat) {
		struct user_msghdr32 h;

		if (bpf_probe_read_user(&h, sizeof(h), (void *)address))
			return;
		m->buffer.vector = h.vector;
		m->buffer.segments = h.segments;
		m->name = h.name;
	} else {
		struct user_msghdr64 h;

		if (bpf_probe_read_user(&h, sizeof(h), (void *)address))
			return;
		m->buffer.vector = h.vector;
		m->buffer.segments = h.segments;
		m->name = h.name;
	}
}

/* Fills what the arguments say of the message: descriptor, bytes, name of the peer. */
static __always_inline void read_message(struct message *m, const struct call_args *a)
{
	__u32 stride = a->compat ? MMSGHDR32_BYTES : MMSGHDR64_BYTES;

	m->via = a->via;
	m->call = a->call;
	m->fd = -1;
	m->buffer.compat = a->compat;
	if (a->compat)
		m->flags |= DATA_COMPAT;
	if (a->call == CALL_NONE)
		return;
	m->fd = a->arg[0];
	switch (a->call) {
	case CALL_SENDTO:
	case CALL_RECVFROM:
		m->name = a->arg[4];
		/* fall through */
	case CALL_READ:
	case CALL_WRITE:
		m->buffer.base = a->arg[1];
		m->buffer.bytes = a->arg[2];
		break;
	case CALL_READV:
	case CALL_WRITEV:
		m->buffer.vector = a->arg[1];
		m->buffer.segments = a->arg[2];
		break;
	case CALL_SENDMSG:
	case CALL_RECVMSG:
		read_msghdr(m, a->arg[1], a->compat);
		break;
	case CALL_SENDMMSG:
	case CALL_RECVMMSG:
		m->flags |= DATA_MMSG;
		read_msghdr(m, a->arg[1] + m->mmsg_index * stride, a->compat);
		break;
	}
}

#endif
