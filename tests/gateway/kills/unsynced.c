/* A disk that forgets: what is written to some files stays in this process until it is synced, so that SIGKILL loses it.

   Loaded by LD_PRELOAD. The files are the database at the path in UNSYNCED, and its write-ahead log. Reads see what was
   written, as they do through a page cache; fsync and fdatasync bring it to the file, in order. With UNSYNCED_PART from 1 to 100, that part
   of the writes also reaches the file at once, in whichever order, as a kernel may write pages back when it likes.

   It serves SQLite's use of its files: positioned reads and writes, truncation, sizes; no mmap of the database (its
   shared memory is not such a file, and is made anew after a power failure). One process at a time has the files. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct change { /* data at an offset; without data, the file's new length */
    struct change *next;
    off_t offset;
    size_t size;
    unsigned char *data;
};

struct file { /* an inode, for as long as the process lives: its changes outlast its descriptors */
    struct file *next;
    dev_t device;
    ino_t inode;
    off_t length;
    struct change *first, **last;
};

enum { MOST_DESCRIPTORS = 65536 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct file *files;
static struct file *opened[MOST_DESCRIPTORS];
static unsigned seed;

static int (*real_open)(const char *, int, ...);
static int (*real_close)(int);
static ssize_t (*real_pread)(int, void *, size_t, off_t);
static ssize_t (*real_pwrite)(int, const void *, size_t, off_t);
static int (*real_fstat)(int, struct stat *);
static int (*real_stat)(const char *, struct stat *);
static int (*real_unlink)(const char *);
static int (*real_ftruncate)(int, off_t);
static int (*real_fsync)(int);

__attribute__((constructor)) static void find(void)
{
    real_open = (int (*)(const char *, int, ...))dlsym(RTLD_NEXT, "open64");
    real_close = (int (*)(int))dlsym(RTLD_NEXT, "close");
    real_pread = (ssize_t(*)(int, void *, size_t, off_t))dlsym(RTLD_NEXT, "pread64");
    real_pwrite = (ssize_t(*)(int, const void *, size_t, off_t))dlsym(RTLD_NEXT, "pwrite64");
    real_fstat = (int (*)(int, struct stat *))dlsym(RTLD_NEXT, "fstat64");
    real_stat = (int (*)(const char *, struct stat *))dlsym(RTLD_NEXT, "stat64");
    real_unlink = (int (*)(const char *))dlsym(RTLD_NEXT, "unlink");
    real_ftruncate = (int (*)(int, off_t))dlsym(RTLD_NEXT, "ftruncate64");
    real_fsync = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
    seed = (unsigned)getpid();
}

static int is_ours(const char *path)
{
    const char *database = getenv("UNSYNCED");
    size_t length = database == NULL ? 0 : strlen(database);
    return length != 0 && strncmp(path, database, length) == 0 && (path[length] == 0 || strcmp(path + length, "-wal") == 0);
}

static struct file *of(int descriptor)
{
    return descriptor >= 0 && descriptor < MOST_DESCRIPTORS ? opened[descriptor] : NULL;
}

static struct file *find_inode(const struct stat *found)
{
    struct file *file = files;
    while (file != NULL && (file->device != found->st_dev || file->inode != found->st_ino))
        file = file->next;
    return file;
}

static struct file *known(int descriptor)
{
    struct stat found;
    struct file *file;
    if (real_fstat(descriptor, &found) != 0)
        abort();
    file = find_inode(&found);
    if (file != NULL)
        return file;
    file = calloc(1, sizeof *file);
    if (file == NULL)
        abort();
    file->device = found.st_dev;
    file->inode = found.st_ino;
    file->length = found.st_size;
    file->last = &file->first;
    file->next = files;
    files = file;
    return file;
}

static void add(struct file *file, const void *data, size_t size, off_t offset)
{
    struct change *change = calloc(1, sizeof *change);
    if (change == NULL)
        abort();
    change->offset = offset;
    change->size = size;
    if (data != NULL) {
        change->data = malloc(size);
        if (change->data == NULL)
            abort();
        memcpy(change->data, data, size);
    }
    *file->last = change;
    file->last = &change->next;
}

/* Bring all changes to the file, in their order. */
static int write_back(struct file *file, int descriptor)
{
    while (file->first != NULL) {
        struct change *change = file->first;
        if (change->data == NULL) {
            if (real_ftruncate(descriptor, change->offset) != 0)
                return -1;
        } else if (real_pwrite(descriptor, change->data, change->size, change->offset) != (ssize_t)change->size) {
            return -1;
        }
        file->first = change->next;
        if (file->first == NULL)
            file->last = &file->first;
        free(change->data);
        free(change);
    }
    return 0;
}

int open64(const char *path, int flags, ...)
{
    mode_t mode = 0;
    int descriptor;
    if ((flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE) {
        va_list more;
        va_start(more, flags);
        mode = va_arg(more, mode_t);
        va_end(more);
    }
    descriptor = real_open(path, flags, mode);
    if (descriptor >= 0 && descriptor < MOST_DESCRIPTORS) {
        pthread_mutex_lock(&lock);
        opened[descriptor] = is_ours(path) ? known(descriptor) : NULL;
        pthread_mutex_unlock(&lock);
    }
    return descriptor;
}

int close(int descriptor)
{
    if (of(descriptor) != NULL) {
        pthread_mutex_lock(&lock);
        opened[descriptor] = NULL;
        pthread_mutex_unlock(&lock);
    }
    return real_close(descriptor);
}

ssize_t pwrite64(int descriptor, const void *data, size_t size, off_t offset)
{
    struct file *file = of(descriptor);
    const char *part = getenv("UNSYNCED_PART");
    if (file == NULL)
        return real_pwrite(descriptor, data, size, offset);
    pthread_mutex_lock(&lock);
    add(file, data, size, offset);
    if (offset + (off_t)size > file->length)
        file->length = offset + (off_t)size;
    if (part != NULL && rand_r(&seed) % 100 < atoi(part))
        real_pwrite(descriptor, data, size, offset);
    pthread_mutex_unlock(&lock);
    return (ssize_t)size;
}

ssize_t pread64(int descriptor, void *data, size_t size, off_t offset)
{
    struct file *file = of(descriptor);
    ssize_t got;
    size_t there;
    if (file == NULL)
        return real_pread(descriptor, data, size, offset);
    pthread_mutex_lock(&lock);
    there = offset >= file->length ? 0 : (size_t)(file->length - offset);
    there = there < size ? there : size;
    memset(data, 0, there);
    got = real_pread(descriptor, data, there, offset);
    for (struct change *change = file->first; got >= 0 && change != NULL; change = change->next) {
        off_t begin = change->offset > offset ? change->offset : offset;
        off_t end = offset + (off_t)there;
        if (change->data == NULL) { /* what was cut off reads as zeros, if the file grew again */
            if (begin < end)
                memset((char *)data + (begin - offset), 0, (size_t)(end - begin));
            continue;
        }
        if (change->offset + (off_t)change->size < end)
            end = change->offset + (off_t)change->size;
        if (begin < end)
            memcpy((char *)data + (begin - offset), change->data + (begin - change->offset), (size_t)(end - begin));
    }
    pthread_mutex_unlock(&lock);
    return got < 0 ? got : (ssize_t)there;
}

int fstat64(int descriptor, struct stat64 *found)
{
    struct file *file = of(descriptor);
    int result = real_fstat(descriptor, (struct stat *)found);
    if (result == 0 && file != NULL) {
        pthread_mutex_lock(&lock);
        found->st_size = file->length;
        pthread_mutex_unlock(&lock);
    }
    return result;
}

int stat64(const char *path, struct stat64 *found)
{
    int result = real_stat(path, (struct stat *)found);
    if (result == 0 && is_ours(path)) {
        struct file *file;
        pthread_mutex_lock(&lock);
        file = find_inode((struct stat *)found);
        if (file != NULL)
            found->st_size = file->length;
        pthread_mutex_unlock(&lock);
    }
    return result;
}

/* A file that is gone is forgotten: another may get its inode. Nobody has it open, as SQLite does it. */
int unlink(const char *path)
{
    struct stat found;
    if (is_ours(path) && real_stat(path, &found) == 0) {
        struct file *file;
        pthread_mutex_lock(&lock);
        file = find_inode(&found);
        if (file != NULL)
            file->inode = 0;
        pthread_mutex_unlock(&lock);
    }
    return real_unlink(path);
}

int ftruncate64(int descriptor, off_t length)
{
    struct file *file = of(descriptor);
    if (file == NULL)
        return real_ftruncate(descriptor, length);
    pthread_mutex_lock(&lock);
    add(file, NULL, 0, length);
    file->length = length;
    pthread_mutex_unlock(&lock);
    return 0;
}

static int synced(int descriptor)
{
    struct file *file = of(descriptor);
    int result = 0;
    if (file != NULL) {
        pthread_mutex_lock(&lock);
        result = write_back(file, descriptor);
        pthread_mutex_unlock(&lock);
    }
    return result;
}

/* What the files themselves do with it is not what is tested: SIGKILL loses nothing of it. */
int fsync(int descriptor)
{
    return of(descriptor) != NULL ? synced(descriptor) : real_fsync(descriptor);
}

int fdatasync(int descriptor)
{
    return fsync(descriptor);
}
