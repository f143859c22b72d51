#include "model.h"

#include <assimp/cimport.h>
#include <assimp/postprocess.h>
#include <assimp/scene.h>
#include <stdio.h>

/* Keeps sums in 32 bits; far above what a sketch should draw. */
#define MODEL_MAX_VERTICES 20000000u

static struct aiColor4D material_color(const struct aiScene *scene, const struct aiMesh *mesh)
{
    struct aiColor4D color = { 0.8f, 0.8f, 0.8f, 1.0f };
    if (mesh->mMaterialIndex < scene->mNumMaterials) {
        const struct aiMaterial *material = scene->mMaterials[mesh->mMaterialIndex];
        if (aiGetMaterialColor(material, AI_MATKEY_BASE_COLOR, &color) != AI_SUCCESS) {
            aiGetMaterialColor(material, AI_MATKEY_COLOR_DIFFUSE, &color);
        }
    }
    return color;
}

static uint8_t to_byte(float value)
{
    return (uint8_t)(clampf(value, 0.0f, 1.0f) * 255.0f + 0.5f);
}

/* 3D coordinates that are not finite would make the box of the mesh useless. */
static float finite_or_zero(float value)
{
    return isfinite(value) ? value : 0.0f;
}

static vertex convert_vertex(const struct aiMesh *mesh, uint32_t i, struct aiColor4D color)
{
    struct aiVector3D p = mesh->mVertices[i];
    vertex v = { .position = { finite_or_zero(p.x), finite_or_zero(p.y), finite_or_zero(p.z) } };
    if (mesh->mNormals != NULL) {
        vec3 n = { mesh->mNormals[i].x, mesh->mNormals[i].y, mesh->mNormals[i].z };
        n = vec3_normalize(n);
        v.normal[0] = finite_or_zero(n.x);
        v.normal[1] = finite_or_zero(n.y);
        v.normal[2] = finite_or_zero(n.z);
    }
    if (mesh->mTextureCoords[0] != NULL) {
        v.uv[0] = mesh->mTextureCoords[0][i].x;
        v.uv[1] = 1.0f - mesh->mTextureCoords[0][i].y; /* files count from the bottom */
    }
    if (mesh->mColors[0] != NULL) {
        color.r *= mesh->mColors[0][i].r;
        color.g *= mesh->mColors[0][i].g;
        color.b *= mesh->mColors[0][i].b;
    }
    v.color[0] = to_byte(color.r);
    v.color[1] = to_byte(color.g);
    v.color[2] = to_byte(color.b);
    v.color[3] = 255;
    return v;
}

static bool is_triangle(const struct aiMesh *mesh, uint32_t face)
{
    return mesh->mFaces[face].mNumIndices == 3; /* files may hold points and lines, too */
}

static bool count_parts(const struct aiScene *scene, uint32_t *vertices, uint32_t *indices)
{
    uint64_t vertex_count = 0, index_count = 0;
    for (uint32_t m = 0; m < scene->mNumMeshes; ++m) {
        const struct aiMesh *mesh = scene->mMeshes[m];
        vertex_count += mesh->mNumVertices;
        for (uint32_t f = 0; f < mesh->mNumFaces; ++f) {
            index_count += is_triangle(mesh, f) ? 3u : 0u;
        }
    }
    *vertices = (uint32_t)vertex_count;
    *indices = (uint32_t)index_count;
    return vertex_count <= MODEL_MAX_VERTICES && index_count <= 6u * (uint64_t)MODEL_MAX_VERTICES &&
           index_count > 0;
}

static void convert(geometry *shape, const struct aiScene *scene)
{
    uint32_t next_vertex = 0, next_index = 0;
    bool normals = true;
    for (uint32_t m = 0; m < scene->mNumMeshes; ++m) {
        const struct aiMesh *mesh = scene->mMeshes[m];
        struct aiColor4D color = material_color(scene, mesh);
        uint32_t base = next_vertex;
        normals = normals && mesh->mNormals != NULL;
        for (uint32_t i = 0; i < mesh->mNumVertices; ++i) {
            shape->vertices[next_vertex++] = convert_vertex(mesh, i, color);
        }
        for (uint32_t f = 0; f < mesh->mNumFaces; ++f) {
            for (uint32_t k = 0; k < 3 && is_triangle(mesh, f); ++k) {
                shape->indices[next_index++] = base + mesh->mFaces[f].mIndices[k];
            }
        }
    }
    if (!normals) {
        geometry_make_normals(shape);
    }
}

bool model_read(geometry *shape, const char *path)
{
    *shape = (geometry){ 0 };
    const struct aiScene *scene =
        aiImportFile(path, aiProcess_Triangulate | aiProcess_PreTransformVertices |
                               aiProcess_JoinIdenticalVertices | aiProcess_GenSmoothNormals);
    if (scene == NULL) {
        fprintf(stderr, "sketch: cannot read the model %s: %s\n", path, aiGetErrorString());
        return false;
    }
    uint32_t vertices, indices;
    bool ok = count_parts(scene, &vertices, &indices);
    if (!ok) {
        fprintf(stderr, "sketch: the model %s has no triangles, or too many\n", path);
    } else if (!geometry_init(shape, vertices, indices)) {
        fprintf(stderr, "sketch: no memory for the model %s\n", path);
        ok = false;
    } else {
        convert(shape, scene);
    }
    aiReleaseImport(scene);
    return ok;
}
