/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plant DIR: append two events that no operation would have decided, and that fold all the
 * same: a vSwitch outside of its VPC, and a fixed public IP for an instance without
 * bandwidth. Prints their seqs. For tests of what finds them.
 */
#include "reducers/state.h"
#include "store/heads.h"
#include "store/store.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct plant {
	struct ipl_store *store;
	struct ipl_reader *reader;
	struct ipl_state *state;
	struct ipl_heads *heads;
	struct ipl_arena arena;
	struct ipl_batch batch;
	struct ipl_error err;
};

static void must(const struct plant *p, enum ipl_status st)
{
	if (st == IPL_OK)
		return;
	fprintf(stderr, "plant: %s\n", p->err.text);
	exit(1);
}

static enum ipl_status on_record(void *context, uint64_t seq, struct ipl_str record,
				 struct ipl_error *err)
{
	struct plant *p = context;
	struct ipl_touches touches;
	struct ipl_link unused;
	struct ipl_event ev;

	(void)err;
	ipl_arena_reset(&p->arena);
	must(p, ipl_event_decode(record, &p->arena, &ev, &p->err));
	must(p, ipl_event_touches(&p->arena, &ev, &touches, &p->err));
	for (uint32_t i = 0; i < touches.count; i++)
		must(p, ipl_heads_push(p->heads, touches.at[i], seq, &unused, &p->err));
	must(p, ipl_reduce(p->state, &ev, &touches, &p->err));
	return IPL_OK;
}

static void append(struct plant *p, struct ipl_event *ev)
{
	struct ipl_touches touches;
	struct ipl_buf buf = { 0 };

	ev->seq = ipl_state_seq(p->state) + 1;
	ev->time_ms = ipl_state_time_ms(p->state);
	ev->principal = IPL_STR("uid:0");
	ev->actor = IPL_STR("the fault");
	must(p, ipl_event_touches(&p->arena, ev, &touches, &p->err));
	ev->link_count = touches.count;
	ev->links = ipl_arena_array(&p->arena, touches.count, sizeof(*ev->links));
	for (uint32_t i = 0; i < touches.count; i++)
		must(p, ipl_heads_push(p->heads, touches.at[i], ev->seq, &ev->links[i], &p->err));
	must(p, ipl_event_encode(ev, &buf, &p->err));
	must(p, ipl_batch_add(&p->batch, buf.at, buf.len, &p->err));
	must(p, ipl_reduce(p->state, ev, &touches, &p->err));
	ipl_buf_release(&buf);
	printf("%" PRIu64 "\n", ev->seq);
}

static void plant_faults(struct plant *p)
{
	uint64_t vpc = ipl_state_next(p->state, IPL_KIND_VPC, 0);
	uint64_t number = ipl_state_next(p->state, IPL_KIND_INSTANCE, 0);
	const struct ipl_instance *instance = ipl_state_instance(p->state, number);
	struct ipl_event ev;

	ipl_event_init(&ev, IPL_EVENT_VSWITCH_CREATED);
	ev.op = IPL_OP_CREATE_VSWITCH;
	ev.vswitch_created = (struct ipl_ev_vswitch_created){
		.vswitch = ipl_state_next_number(p->state, IPL_KIND_VSWITCH),
		.vpc = vpc,
		.zone = IPL_STR("cn-hangzhou-a"),
		.cidr = { 0xc0a84d00, 24 }, /* 192.168.77.0 */
	};
	append(p, &ev);
	ipl_event_init(&ev, IPL_EVENT_PUBLIC_IP_ALLOCATED);
	ev.op = IPL_OP_ALLOCATE_PUBLIC_IP;
	ev.public_ip_allocated = (struct ipl_ev_public_ip_allocated){
		.instance = number,
		.eni = instance->enis.at[0],
		.public_ip = ipl_state_pool(p->state, 0)->cidr.base + 200,
	};
	append(p, &ev);
}

int main(int argc, char **argv)
{
	struct plant p = { .err = IPL_ERROR_INIT(NULL) };
	struct ipl_head head;

	if (argc != 2) {
		fputs("usage: plant DIR\n", stderr);
		return 2;
	}
	ipl_arena_init(&p.arena, (size_t)64 << 20);
	p.state = ipl_state_new();
	p.heads = ipl_heads_new();
	must(&p, ipl_store_open(argv[1], IPL_STORE_APPEND, &p.store, &p.err));
	must(&p, ipl_store_head(p.store, &head, &p.err));
	must(&p, ipl_reader_open(p.store, &p.reader, &p.err));
	must(&p, ipl_reader_scan(p.reader, 1, head.seq, on_record, &p, &p.err));
	ipl_batch_reset(&p.batch, head.seq + 1);
	ipl_arena_reset(&p.arena);
	plant_faults(&p);
	must(&p, ipl_store_append(p.store, &p.batch, &p.err));
	ipl_batch_release(&p.batch);
	ipl_reader_close(p.reader);
	ipl_store_close(p.store);
	ipl_heads_free(p.heads);
	ipl_state_free(p.state);
	ipl_arena_release(&p.arena);
	return 0;
}
