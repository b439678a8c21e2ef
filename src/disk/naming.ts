import { SyscallError } from "../sys/index.js";

/** Does something to the open file `path`: a failure says which file, as Node says it only of calls by path. */
export async function naming<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const { errno, syscall, path: named } = error as NodeJS.ErrnoException;
    if (errno === undefined || syscall === undefined || named !== undefined) throw error;
    throw new SyscallError(-errno, syscall, path);
  }
}
