/* SPDX-License-Identifier: Apache-2.0 */
/* A head as it is noted outside. */
#ifndef IPL_CLI_HEAD_H
#define IPL_CLI_HEAD_H

#include "store/store.h"

/** SEQ:ROOT as `status` prints it; false for any other text. */
bool ipl_head_parse(const char *text, struct ipl_head *out);

#endif
