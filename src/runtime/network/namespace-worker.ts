import { AT_FDCWD, CLONE, close, MS, mount, O, openat, raiseLoopback, setns, unshare } from "../../sys/index.js";
import { serve } from "../../threads/index.js";

const current = "/proc/thread-self/ns/net";

serve(async ({ path }: { readonly path: string }) => {
  const own = openat(AT_FDCWD, current, O.O_RDONLY);
  try {
    unshare(CLONE.NEWNET);
    try {
      raiseLoopback();
      mount(current, path, null, MS.BIND, null);
    } finally {
      setns(own, CLONE.NEWNET);
    }
  } finally {
    close(own);
  }
});
