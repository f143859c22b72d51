/* The range allocator against a plain model on random calls. Arguments: seed, steps (200,000). */
#include "unit/range_model.h"
#include "unit/unit.h"

#define SCRIPT_BYTES 60000u

int main(int argc, char **argv)
{
    uint64_t seed = unit_seed(argc, argv);
    const uint64_t wanted = argc > 2 ? strtoull(argv[2], NULL, 0) : 200000;
    const uint64_t every = wanted > 1000000 ? 1000 : 50;
    static uint8_t bytes[SCRIPT_BYTES];
    uint64_t steps = 0;
    uint64_t moves = 0;
    uint64_t scripts = 0;
    while (steps < wanted) {
        for (size_t i = 0; i < SCRIPT_BYTES; ++i) {
            bytes[i] = (uint8_t)(unit_random(&seed) >> 56);
        }
        steps += range_model_play(bytes, SCRIPT_BYTES, every, &moves);
        scripts += 1;
    }
    printf("%llu steps in %llu spaces, %llu moves\n", (unsigned long long)steps,
           (unsigned long long)scripts, (unsigned long long)moves);
    return moves > wanted / 1000 ? 0 : 1; /* fewer would be no test of them */
}
