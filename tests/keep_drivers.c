/*
 * Keeps every driver loaded until the process ends, for the leak checker: it tells a leak by the
 * library it came from, and lsan.supp can only pass over a library that is still there. The Vulkan
 * loader closes drivers with this function. Linked into sanitized programs only.
 */
int dlclose(void *library);

int dlclose(void *library)
{
    (void)library;
    return 0;
}
