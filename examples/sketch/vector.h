/* vector.h: the little linear algebra the sketch needs. Right-handed, y up, clip depth 0 to 1. */
#ifndef SKETCH_VECTOR_H
#define SKETCH_VECTOR_H

#include <math.h>

#define SKETCH_PI 3.14159265358979f

typedef struct vec3 {
    float x, y, z;
} vec3;

/* Column-major, as WGSL's mat4x4f. */
typedef struct mat4 {
    float m[16];
} mat4;

static inline vec3 vec3_make(float x, float y, float z)
{
    return (vec3){ x, y, z };
}

static inline vec3 vec3_add(vec3 a, vec3 b)
{
    return vec3_make(a.x + b.x, a.y + b.y, a.z + b.z);
}

static inline vec3 vec3_sub(vec3 a, vec3 b)
{
    return vec3_make(a.x - b.x, a.y - b.y, a.z - b.z);
}

static inline vec3 vec3_scale(vec3 a, float s)
{
    return vec3_make(a.x * s, a.y * s, a.z * s);
}

static inline float vec3_dot(vec3 a, vec3 b)
{
    return a.x * b.x + a.y * b.y + a.z * b.z;
}

static inline vec3 vec3_cross(vec3 a, vec3 b)
{
    return vec3_make(a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x);
}

/* The zero vector, which has no direction, becomes "up". */
static inline vec3 vec3_normalize(vec3 a)
{
    float length = sqrtf(vec3_dot(a, a));
    return length > 1e-20f ? vec3_scale(a, 1.0f / length) : vec3_make(0.0f, 1.0f, 0.0f);
}

static inline float mixf(float a, float b, float t)
{
    return a + (b - a) * t;
}

static inline float clampf(float x, float low, float high)
{
    return x < low ? low : x > high ? high : x;
}

static inline float smoothf(float low, float high, float x)
{
    float t = clampf((x - low) / (high - low), 0.0f, 1.0f);
    return t * t * (3.0f - 2.0f * t);
}

static inline mat4 mat4_multiply(const mat4 *a, const mat4 *b)
{
    mat4 result;
    for (int column = 0; column < 4; ++column) {
        for (int row = 0; row < 4; ++row) {
            float sum = 0.0f;
            for (int k = 0; k < 4; ++k) {
                sum += a->m[k * 4 + row] * b->m[column * 4 + k];
            }
            result.m[column * 4 + row] = sum;
        }
    }
    return result;
}

static inline mat4 mat4_identity(void)
{
    return (mat4){ { 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1 } };
}

/* Turns about y by `angle`, then tilts about x by `tilt`, then moves. */
static inline mat4 mat4_place(float angle, float tilt, vec3 move)
{
    float c = cosf(angle), s = sinf(angle), ct = cosf(tilt), st = sinf(tilt);
    return (mat4){ { c, st * s, -ct * s, 0, 0, ct, st, 0, s, -st * c, ct * c, 0, move.x, move.y,
                     move.z, 1 } };
}

static inline mat4 mat4_perspective(float fov_y, float aspect, float near, float far)
{
    float f = 1.0f / tanf(fov_y * 0.5f);
    return (mat4){ { f / aspect, 0, 0, 0, 0, f, 0, 0, 0, 0, far / (near - far), -1, 0, 0,
                     near * far / (near - far), 0 } };
}

static inline mat4 mat4_orthographic(float half_width, float half_height, float near, float far)
{
    return (mat4){ { 1.0f / half_width, 0, 0, 0, 0, 1.0f / half_height, 0, 0, 0, 0,
                     1.0f / (near - far), 0, 0, 0, near / (near - far), 1 } };
}

static inline mat4 mat4_look_at(vec3 eye, vec3 target)
{
    vec3 back = vec3_normalize(vec3_sub(eye, target));
    vec3 right = vec3_normalize(vec3_cross(vec3_make(0, 1, 0), back));
    vec3 up = vec3_cross(back, right);
    return (mat4){ { right.x, up.x, back.x, 0, right.y, up.y, back.y, 0, right.z, up.z, back.z, 0,
                     -vec3_dot(right, eye), -vec3_dot(up, eye), -vec3_dot(back, eye), 1 } };
}

/* Quaternion of a turn by `angle` about the unit vector `axis`. */
static inline void quaternion_turn(float q[4], vec3 axis, float angle)
{
    float s = sinf(angle * 0.5f);
    q[0] = axis.x * s;
    q[1] = axis.y * s;
    q[2] = axis.z * s;
    q[3] = cosf(angle * 0.5f);
}

#endif
