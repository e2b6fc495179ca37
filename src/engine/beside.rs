//! Threads that work beside screens: what indexes, merges and lets go must not hold up who waits for an answer.
//!
//! Building an index asks for all cores at once, and a thread that is ready to run waits for its turn behind others, some
//! milliseconds each. A thread that has called [`work_beside`] builds on half of the cores, and the scheduler lets
//! others go first. It still gets a share of a busy machine, so that what it has to do does not pile up.

use rayon::{ThreadPool, ThreadPoolBuilder};

/// How much others go first, of 19: on a busy core this one gets a third of the time another gets (`sched(7)`: a factor of 1.25 a
/// step).
const NICENESS: i32 = 5;

/// Makes the calling thread work beside others while what is returned is held. Without a pool of its own it would work on
/// all cores, which is quicker for it and slower for others.
pub(crate) fn work_beside() -> Option<ThreadPool> {
    give_way();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let pool = ThreadPoolBuilder::new()
        .num_threads((cores / 2).max(1))
        .thread_name(|at| format!("beside-{at}"))
        .start_handler(|_| give_way())
        .use_current_thread();
    pool.build().ok()
}

/// Lets other threads go first. Where threads have no priorities of their own nothing is changed.
fn give_way() {
    #[cfg(target_os = "linux")]
    let _ = rustix::process::setpriority_process(None, NICENESS);
}
