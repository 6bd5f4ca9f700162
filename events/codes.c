/* SPDX-License-Identifier: Apache-2.0 */
/* The table of codes, by number. */
#include "events/codes.h"

#include <assert.h>

static const struct {
	const char *text;
	int http_status;
} codes[IPL_CODE_COUNT] = { [IPL_CODE_NONE] = { "None", 200 },
#define X(NAME, http_status, text) [IPL_CODE_##NAME] = { text, http_status },
			    IPL_CODE_LIST(X)
#undef X
};

const char *ipl_code_text(enum ipl_code code)
{
	assert(code < IPL_CODE_COUNT);
	return codes[code].text;
}

int ipl_code_http_status(enum ipl_code code)
{
	assert(code < IPL_CODE_COUNT);
	return codes[code].http_status;
}
