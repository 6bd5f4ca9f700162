/* SPDX-License-Identifier: Apache-2.0 */
/* Parameters of random calls: each function prints one operation's as JSON. */
#ifndef IPL_TESTS_RANDOM_INTERNAL_H
#define IPL_TESTS_RANDOM_INTERNAL_H

#include "tests/random_ops.h"

#define PARAMS_MAX 1024

struct params {
	char at[PARAMS_MAX];
	size_t len;
};

void print(struct params *p, const char *format, ...) IPL_PRINTF(2, 3);
/** True one time in @n. */
bool one_in(uint64_t n);
/** The id of a living entity, or (one time in 16) of one that may be gone or never was. Kept for 16
 * calls. */
const char *some(struct lab *lab, enum ipl_kind kind);
/** The id of entity @number; of some entity where it is 0, and one time in 8. */
const char *id_of(struct lab *lab, enum ipl_kind kind, uint64_t number);
/** A living entity that @fits, looked for from a random one on; 0 where none is near. */
uint64_t seek(struct lab *lab, enum ipl_kind kind,
	      bool (*fits)(struct lab *lab, const union ipl_entity *entity));
const struct random_size *random_size_now(void);

/* random_network.c */
void params_settings(struct lab *lab, struct params *p);
void params_create_vpc(struct lab *lab, struct params *p);
void params_delete_vpc(struct lab *lab, struct params *p);
void params_modify_vpc(struct lab *lab, struct params *p);
void params_associate_cidr(struct lab *lab, struct params *p);
void params_unassociate_cidr(struct lab *lab, struct params *p);
void params_create_vswitch(struct lab *lab, struct params *p);
void params_delete_vswitch(struct lab *lab, struct params *p);
void params_modify_vswitch(struct lab *lab, struct params *p);
void params_create_ipv6gw(struct lab *lab, struct params *p);
void params_delete_ipv6gw(struct lab *lab, struct params *p);
void params_allocate_ipv6bw(struct lab *lab, struct params *p);
void params_modify_ipv6bw(struct lab *lab, struct params *p);
void params_delete_ipv6bw(struct lab *lab, struct params *p);
void params_allocate_eip(struct lab *lab, struct params *p);
void params_associate_eip(struct lab *lab, struct params *p);
void params_unassociate_eip(struct lab *lab, struct params *p);
void params_modify_eip(struct lab *lab, struct params *p);
void params_release_eip(struct lab *lab, struct params *p);

/* random_instance.c */
void params_run_instances(struct lab *lab, struct params *p);
void params_create_instance(struct lab *lab, struct params *p);
void params_start(struct lab *lab, struct params *p);
void params_stop(struct lab *lab, struct params *p);
void params_reboot(struct lab *lab, struct params *p);
void params_delete_instance(struct lab *lab, struct params *p);
void params_change_address(struct lab *lab, struct params *p);
void params_network_spec(struct lab *lab, struct params *p);
void params_allocate_public_ip(struct lab *lab, struct params *p);
void params_convert(struct lab *lab, struct params *p);
void params_create_eni(struct lab *lab, struct params *p);
void params_attach(struct lab *lab, struct params *p);
void params_detach(struct lab *lab, struct params *p);
void params_delete_eni(struct lab *lab, struct params *p);
void params_modify_eni(struct lab *lab, struct params *p);
void params_assign(struct lab *lab, struct params *p);
void params_unassign(struct lab *lab, struct params *p);
void params_assign_ipv6(struct lab *lab, struct params *p);
void params_unassign_ipv6(struct lab *lab, struct params *p);

#endif
