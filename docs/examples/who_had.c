/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who had this address? The history of one address, by libipledger-client.
 *
 *     cc who_had.c $(pkg-config --cflags --libs ipledger-client) -o who_had
 *     ./who_had unix:$HOME/.local/share/ipledger/ipledger.sock 10.0.1.17
 *     ./who_had unix:… 10.0.1.17 --follow        and what happens to it from now on
 *
 * Exit status: 0 somebody had it; 1 nobody ever had, or a refusal; 3 no ledger.
 */
#include <ipledger-client.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char *text_at(struct ipl_client_answer *answer, const char *list, size_t index,
			   const char *member)
{
	char path[128];
	const char *text;

	(void)snprintf(path, sizeof(path), "%s.%zu.%s", list, index, member);
	text = ipl_client_answer_text(answer, path);
	return text == NULL || text[0] == '\0' ? "-" : text;
}

/* One line for each holding, oldest first. Gives how many there were. */
static size_t print_history(struct ipl_client_answer *answer)
{
	size_t count = ipl_client_answer_count(answer, "History");

	for (size_t i = 1; i <= count; i++)
		printf("%s .. %s  %s  %s by %s: %s\n", text_at(answer, "History", i, "FromTime"),
		       text_at(answer, "History", i, "ToTime"),
		       text_at(answer, "History", i, "Holder.NetworkInterfaceId"),
		       text_at(answer, "History", i, "OpenedBy.Operation"),
		       text_at(answer, "History", i, "OpenedBy.Actor"),
		       text_at(answer, "History", i, "OpenedBy.Reason"));
	return count;
}

/* Print events as they come, until the server or the connection ends. */
static int follow(struct ipl_client *client, const char *id, struct ipl_client_error *err)
{
	const char *const params[] = { id, NULL };
	struct ipl_client_answer *answer;
	const char *name;

	if (ipl_client_call_words(client, "Subscribe", params, &answer, err) != IPL_CLIENT_OK) {
		ipl_client_answer_free(answer);
		return 1;
	}
	ipl_client_answer_free(answer);
	puts("following");
	fflush(stdout);
	while (ipl_client_notice(client, -1, &name, &answer, err) == IPL_CLIENT_OK) {
		int64_t seq = 0;
		if (strcmp(name, "Event") == 0 && ipl_client_answer_int(answer, "Seq", &seq))
			printf("%" PRId64 "  %s  %s\n", seq, ipl_client_answer_text(answer, "Time"),
			       ipl_client_answer_text(answer, "Type"));
		fflush(stdout);
		ipl_client_answer_free(answer);
	}
	return 3;
}

static int run(struct ipl_client *client, int argc, char **argv, struct ipl_client_error *err)
{
	struct ipl_client_answer *answer;
	enum ipl_client_status st;
	char address[80], id[80];
	const char *const params[] = { address, NULL };
	size_t count;

	(void)snprintf(address, sizeof(address), "Address=%s", argv[2]);
	(void)snprintf(id, sizeof(id), "Id=%s", argv[2]);
	ipl_client_set_timeout_ms(client, 5000);
	if (ipl_client_use_environment(client, err) != IPL_CLIENT_OK ||
	    ipl_client_connect(client, argv[1], err) != IPL_CLIENT_OK)
		return 3;
	st = ipl_client_call_words(client, "GetHistory", params, &answer, err);
	count = st == IPL_CLIENT_OK ? print_history(answer) : 0;
	ipl_client_answer_free(answer); /* of a refusal too: it has the facts */
	if (st != IPL_CLIENT_OK)
		return st == IPL_CLIENT_REFUSED ? 1 : 3;
	if (argc == 4)
		return follow(client, id, err);
	return count == 0 ? 1 : 0;
}

int main(int argc, char **argv)
{
	struct ipl_client *client = ipl_client_new();
	struct ipl_client_error err = { IPL_CLIENT_OK, 0, "", "" };
	int rc;

	if (client == NULL || argc < 3 || (argc == 4 && strcmp(argv[3], "--follow") != 0) ||
	    argc > 4) {
		fprintf(stderr, "usage: who_had unix:PATH|tcp:HOST:PORT ADDRESS [--follow]\n");
		ipl_client_free(client);
		return 2;
	}
	rc = run(client, argc, argv, &err);
	if (err.status != IPL_CLIENT_OK)
		fprintf(stderr, "who_had: %s%s%s\n", err.code, err.code[0] == '\0' ? "" : ": ",
			err.text);
	ipl_client_free(client);
	return rc;
}
