/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verify: the whole ledger looked at, in a child process. What LMDB does with a damaged
 * file is not in our hand: if it takes the child down, that is an answer too.
 */
#include "cli/command.h"
#include "cli/head.h"
#include "cli/progress.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "replay/verify.h"

#define JOBS_MAX 64

/* What the child says through the pipe, whole. */
struct verdict {
	enum ipl_status status;
	enum ipl_code code;
	struct ipl_verified found;
	double seconds;
	char text[512];
};

struct words {
	struct ipl_verify_options options;
	struct ipl_head noted;
};

static int read_words(const struct ipl_invocation *in, struct words *w)
{
	for (int i = 0; i < in->argc; i++) {
		const char *value;
		int64_t jobs;
		if ((value = ipl_option(in, &i, "--head")) != NULL) {
			if (!ipl_head_parse(value, &w->noted))
				return ipl_usage(in->command,
						 "--head takes SEQ:ROOT as status prints it, not "
						 "\"%s\"",
						 value);
			w->options.noted = &w->noted;
		} else if ((value = ipl_option(in, &i, "--jobs")) != NULL) {
			if (!ipl_str_to_int(ipl_str_of(value), &jobs) || jobs < 1 ||
			    jobs > JOBS_MAX)
				return ipl_usage(in->command, "--jobs takes 1 to %d, not \"%s\"",
						 JOBS_MAX, value);
			w->options.threads = (uint32_t)jobs;
		} else {
			return ipl_usage(in->command, "%s is too much", in->argv[i]);
		}
	}
	if (in->server != NULL)
		return ipl_usage(in->command, "verify reads the directory itself: --data DIR");
	if (in->as_of != NULL)
		return ipl_usage(in->command, "verify looks at all there is, not --as-of a moment");
	return -1;
}

/* --- the child --- */

struct told {
	struct ipl_progress progress;
	uint64_t *done; /* where the parent sees it when we are gone */
};

static bool tell(void *context, uint64_t done, uint64_t total)
{
	struct told *told = context;

	*told->done = done;
	ipl_progress_update(&told->progress, done, total);
	return !ipl_interrupted();
}

static void run_child(const struct ipl_invocation *in, struct words *w, uint64_t *done, int out)
{
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	struct verdict verdict = { .status = IPL_OK };
	struct told told = { .done = done };

	(void)prctl(PR_SET_PDEATHSIG, SIGTERM); /* nobody waits for us then */
	ipl_interrupt_catch();
	ipl_progress_begin(&told.progress, "events");
	w->options.progress = tell;
	w->options.context = &told;
	verdict.status = ipl_verify(in->data, &w->options, &verdict.found, &err);
	ipl_progress_end(&told.progress, *done, verdict.found.head.seq);
	verdict.seconds = ipl_progress_seconds(&told.progress);
	verdict.code = err.code;
	memcpy(verdict.text, err.text, sizeof(verdict.text));
	/* A pipe takes so little at once; a parent that is gone needs no answer. */
	(void)!write(out, &verdict, sizeof(verdict));
	_exit(0);
}

/* --- the parent --- */

static struct ipl_value hex(struct ipl_arena *arena, const uint8_t *bytes, size_t len)
{
	struct ipl_buf buf = { 0 };
	struct ipl_value text;

	for (size_t i = 0; i < len; i++)
		ipl_buf_printf(&buf, "%02x", bytes[i]);
	text = ipl_text(ipl_arena_str(arena, (struct ipl_str){ (char *)buf.at, buf.len }));
	ipl_buf_release(&buf);
	return text;
}

static void add_found(const struct ipl_invocation *in, const struct verdict *verdict,
		      struct ipl_value *shown)
{
	const struct ipl_verified *found = &verdict->found;
	struct ipl_value root = hex(in->arena, found->head.root, IPL_ROOT_BYTES);

	ipl_map_add(in->arena, shown, "Whole", ipl_bool(verdict->status == IPL_OK));
	if (found->head.seq > 0)
		ipl_map_add(in->arena, shown, "Head",
			    ipl_textf(in->arena, "%" PRIu64 ":%.*s", found->head.seq,
				      IPL_STR_ARG(root.str)));
	if (verdict->status != IPL_OK) {
		if (found->bad_seq > 0)
			ipl_map_add(in->arena, shown, "FirstBadSeq",
				    ipl_int((int64_t)found->bad_seq));
		ipl_map_add(in->arena, shown, "Finding", ipl_text_of(verdict->text));
		return;
	}
	ipl_map_add(in->arena, shown, "Events", ipl_int((int64_t)found->head.seq));
	ipl_map_add(in->arena, shown, "Commits", ipl_int((int64_t)found->commits));
	ipl_map_add(in->arena, shown, "Chains", ipl_int((int64_t)found->chains));
	ipl_map_add(in->arena, shown, "Checkpoints", ipl_int((int64_t)found->checkpoints));
	ipl_map_add(in->arena, shown, "StateHash",
		    hex(in->arena, found->state_hash, sizeof(found->state_hash)));
	ipl_map_add(in->arena, shown, "Seconds", ipl_textf(in->arena, "%.1f", verdict->seconds));
}

static int print_verdict(const struct ipl_invocation *in, const struct verdict *verdict)
{
	struct ipl_error err = { .status = verdict->status, .code = verdict->code };
	struct ipl_value shown = ipl_map();

	memcpy(err.text, verdict->text, sizeof(err.text));
	if (verdict->status == IPL_OK ||
	    (verdict->status == IPL_ERR_CORRUPT && in->output != IPL_OUTPUT_TABLE)) {
		add_found(in, verdict, &shown);
		ipl_print_result(in, &shown);
	}
	if (verdict->status == IPL_ERR_END) { /* interrupted: it is not known */
		err.status = IPL_ERR_IO;
		return ipl_fail(&err);
	}
	return verdict->status == IPL_OK ? IPL_EXIT_OK : ipl_fail(&err);
}

/* The child is gone without a word. */
static int print_death(const struct ipl_invocation *in, int status, uint64_t done)
{
	struct verdict verdict = { .status = IPL_ERR_CORRUPT };
	int number = WIFSIGNALED(status) ? WTERMSIG(status) : 0;

	if (number == SIGKILL || number == SIGTERM || number == SIGINT) {
		verdict.status = IPL_ERR_IO;
		(void)snprintf(verdict.text, sizeof(verdict.text), "verify was ended by signal %d",
			       number);
	} else {
		(void)snprintf(
			verdict.text, sizeof(verdict.text),
			"%s/log.mdb is damaged so that reading it crashes (%s), after %" PRIu64
			" events that are good",
			in->data, number != 0 ? strsignal(number) : "it gave no answer", done);
	}
	return print_verdict(in, &verdict);
}

static int wait_for(const struct ipl_invocation *in, pid_t child, int from, const uint64_t *done)
{
	struct verdict verdict;
	size_t len = 0;
	int status = 0;

	while (len < sizeof(verdict)) {
		ssize_t n = read(from, (char *)&verdict + len, sizeof(verdict) - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		len += (size_t)n;
	}
	while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
	}
	return len == sizeof(verdict) ? print_verdict(in, &verdict) :
					print_death(in, status, *done);
}

static int run_verify(const struct ipl_invocation *in)
{
	struct words w = { .noted = { .seq = 0 } };
	struct ipl_error err = IPL_ERROR_INIT(in->arena);
	int rc = read_words(in, &w), ends[2];
	uint64_t *done;
	pid_t child;

	if (rc >= 0)
		return rc;
	done = mmap(NULL, sizeof(*done), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (done == MAP_FAILED || pipe(ends) != 0) {
		ipl_error_set(&err, IPL_ERR_IO, "no way to a child process: %s", strerror(errno));
		return ipl_fail(&err);
	}
	fflush(NULL);
	child = fork(); /* before anything of the ledger is open */
	if (child == 0) {
		close(ends[0]);
		run_child(in, &w, done, ends[1]);
	}
	close(ends[1]);
	if (child < 0) {
		ipl_error_set(&err, IPL_ERR_IO, "no child process: %s", strerror(errno));
		rc = ipl_fail(&err);
	} else {
		/* Ctrl-C is for both of us; who ends in order is the child. */
		ipl_interrupt_catch();
		rc = wait_for(in, child, ends[0], done);
	}
	close(ends[0]);
	munmap(done, sizeof(*done));
	return rc;
}

const struct ipl_command ipl_cmd_verify = {
	.name = "verify",
	.args = "[--head SEQ:ROOT] [--jobs N]",
	.summary = "the log, its tree and everything derived from it",
	.more = "Looks at every record, on all cores (or N), beside a server or alone, and names "
		"the\n"
		"first that is bad. --head is a head that was noted before (status prints it):\n"
		"the log must go through it, so nobody has written it anew or cut its tail.\n"
		"Exit status 4: damaged.",
	.run = run_verify,
};
