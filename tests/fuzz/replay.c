/* tests/fuzz/replay.c - runs a target over a corpus with any compiler.
 *
 * Usage: fuzz_X FOLDER [ROUNDS]. Every file of the folder is run as it is, then
 * ROUNDS inputs are made of them by random changes with a fixed seed. Prints
 * the number of inputs; a fault ends the process. */
#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "fuzz.h"

enum { FILES_MAX = 1000, FILE_MAX = 64 * 1024, GROWTH_MAX = 256 };

struct input {
	char *data;
	size_t len;
};

/* A copy of exactly that size, so that a sanitizer sees any step beyond. */
static void
run(const char *data, size_t len)
{
	uint8_t *copy = malloc(len > 0 ? len : 1);

	if (copy == NULL)
		abort();
	if (len > 0)
		memcpy(copy, data, len);
	LLVMFuzzerTestOneInput(copy, len);
	free(copy);
}

static int
read_corpus(const char *folder, struct input *inputs)
{
	struct dirent **names;
	int count = scandir(folder, &names, NULL, alphasort);
	int n = 0;

	for (int i = 0; i < count; i++) {
		char path[1024];

		snprintf(path, sizeof(path), "%s/%s", folder, names[i]->d_name);
		if (names[i]->d_name[0] != '.' && n < FILES_MAX &&
		    file_read(path, FILE_MAX, &inputs[n].data, &inputs[n].len,
			NULL) == 0)
			n++;
		free(names[i]);
	}
	if (count >= 0)
		free(names);
	return n;
}

static uint32_t
next_random(void)
{
	static uint64_t seed = 20260101;

	seed = seed * UINT64_C(6364136223846793005) +
	    UINT64_C(1442695040888963407);
	return (uint32_t)(seed >> 33);
}

/* Some changes to a copy of one input: bytes set, cut out, put in from
 * another input. */
static void
run_changed(const struct input *inputs, int count)
{
	const struct input *from = &inputs[next_random() % (unsigned)count];
	const struct input *other = &inputs[next_random() % (unsigned)count];
	size_t len = from->len;
	char *data = malloc(len + GROWTH_MAX);

	if (data == NULL)
		abort();
	memcpy(data, from->data, len);
	for (unsigned i = next_random() % 4 + 1; i > 0; i--) {
		size_t at = next_random() % (len + 1);
		size_t n = next_random() % 16 + 1;

		switch (next_random() % 3) {
		case 0:
			if (at < len)
				data[at] = (char)next_random();
			break;
		case 1:
			if (n > len - at)
				n = len - at;
			memmove(data + at, data + at + n, len - at - n);
			len -= n;
			break;
		default:
			if (n > other->len)
				n = other->len;
			if (len + n > from->len + GROWTH_MAX)
				break;
			memmove(data + at + n, data + at, len - at);
			memcpy(data + at,
			    other->data + next_random() % (other->len - n + 1),
			    n);
			len += n;
			break;
		}
	}
	run(data, len);
	free(data);
}

int
main(int argc, char **argv)
{
	static struct input inputs[FILES_MAX];
	long rounds = argc > 2 ? strtol(argv[2], NULL, 10) : 0;
	int count;

	if (argc < 2) {
		fprintf(stderr, "usage: %s FOLDER [ROUNDS]\n", argv[0]);
		return 2;
	}
	count = read_corpus(argv[1], inputs);
	if (count == 0) {
		fprintf(stderr, "%s: no corpus\n", argv[1]);
		return 1;
	}
	for (int i = 0; i < count; i++)
		run(inputs[i].data, inputs[i].len);
	for (long i = 0; i < rounds; i++)
		run_changed(inputs, count);
	for (int i = 0; i < count; i++)
		free(inputs[i].data);
	printf("%d files, %ld changed inputs\n", count, rounds);
	return 0;
}
