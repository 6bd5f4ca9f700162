/* SPDX-License-Identifier: Apache-2.0 */
/* Lines from standard input. */
#include "cli/line.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/progress.h"

#ifdef IPL_HAVE_LIBEDIT
#include <histedit.h>
#include <locale.h>

#define HISTORY_LINES 1000
#endif

struct ipl_lines {
	bool is_typed;
	const char *prompt;
	char *text;
	size_t cap;
#ifdef IPL_HAVE_LIBEDIT
	EditLine *edit;
	History *history;
#endif
};

static void cut_end(char *text)
{
	text[strcspn(text, "\r\n")] = '\0';
}

#ifdef IPL_HAVE_LIBEDIT
static char *prompt_of(EditLine *edit)
{
	struct ipl_lines *lines = NULL;

	(void)el_get(edit, EL_CLIENTDATA, &lines);
	return (char *)(size_t)lines->prompt; /* it is only printed */
}

static void open_edit(struct ipl_lines *lines)
{
	HistEvent event;

	(void)setlocale(LC_CTYPE, ""); /* what is typed may be UTF-8 */
	lines->edit = el_init("ipledger", stdin, stdout, stderr);
	lines->history = history_init();
	if (lines->edit == NULL)
		return;
	(void)el_set(lines->edit, EL_CLIENTDATA, lines);
	(void)el_set(lines->edit, EL_PROMPT, prompt_of);
	(void)el_set(lines->edit, EL_EDITOR, "emacs");
	(void)el_set(lines->edit, EL_SIGNAL, 1);
	if (lines->history != NULL) {
		(void)history(lines->history, &event, H_SETSIZE, HISTORY_LINES);
		(void)el_set(lines->edit, EL_HIST, history, lines->history);
	}
	(void)el_source(lines->edit, NULL); /* ~/.editrc, if there is one */
}

static const char *edited(struct ipl_lines *lines)
{
	HistEvent event;
	int count = 0;
	const char *text;

	do {
		ipl_interrupt_forget(); /* Ctrl-C at the prompt: a new line */
		text = el_gets(lines->edit, &count);
	} while (text == NULL && ipl_interrupted());
	if (text == NULL || count <= 0)
		return NULL;
	if (text[0] != '\n' && lines->history != NULL)
		(void)history(lines->history, &event, H_ENTER, text);
	free(lines->text);
	lines->text = strdup(text);
	if (lines->text != NULL)
		cut_end(lines->text);
	return lines->text;
}
#endif

struct ipl_lines *ipl_lines_open(void)
{
	struct ipl_lines *lines = calloc(1, sizeof(*lines));

	if (lines == NULL)
		return NULL;
	lines->is_typed = isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1;
#ifdef IPL_HAVE_LIBEDIT
	if (lines->is_typed)
		open_edit(lines);
#endif
	return lines;
}

void ipl_lines_close(struct ipl_lines *lines)
{
	if (lines == NULL)
		return;
#ifdef IPL_HAVE_LIBEDIT
	if (lines->history != NULL)
		history_end(lines->history);
	if (lines->edit != NULL)
		el_end(lines->edit);
#endif
	free(lines->text);
	free(lines);
}

bool ipl_lines_are_typed(const struct ipl_lines *lines)
{
	return lines->is_typed;
}

const char *ipl_lines_next(struct ipl_lines *lines, const char *prompt)
{
	lines->prompt = prompt;
#ifdef IPL_HAVE_LIBEDIT
	if (lines->edit != NULL)
		return edited(lines);
#endif
	if (lines->is_typed) {
		printf("%s", prompt);
		(void)fflush(stdout); /* a prompt that cannot be shown is no reason to stop */
	}
	if (getline(&lines->text, &lines->cap, stdin) < 0)
		return NULL;
	cut_end(lines->text);
	if (!lines->is_typed)
		printf("%s%s\n", prompt, lines->text);
	return lines->text;
}
