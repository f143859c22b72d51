/* What the plain models of tests and fuzz targets check with: cmocka is not there in a fuzz target. */
#ifndef GPOOL_TESTS_UNIT_MODEL_REQUIRE_H
#define GPOOL_TESTS_UNIT_MODEL_REQUIRE_H

#include <stdio.h>
#include <stdlib.h>

/** Ends the program when a condition does not hold. */
#define MODEL_REQUIRE(condition)                                                                   \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            (void)fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);          \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

#endif
