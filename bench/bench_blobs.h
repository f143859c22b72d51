/*
 * The bench as its own child: see bench_blobs.c.
 */
#ifndef BENCH_BLOBS_H
#define BENCH_BLOBS_H

/* First argument of such a child; the others are those of bench_blobs_child(). */
#define BENCH_BLOBS_CHILD "--blobs-child"

/**
 * Makes so many pipelines of a kind ("loops", "march") and a salt with a store in a folder, and prints
 * time and counters.
 */
int bench_blobs_child(const char *folder, const char *salt, const char *what, const char *count);

#endif
