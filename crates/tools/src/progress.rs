//! What is told while the toolbox is filled: through a trait, so that every caller shows it its own
//! way; [`for_stderr`] is the way of the `tools` program.

use std::io::{self, IsTerminal, Write};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// Hears what is going on. Nothing is called while everything is already there.
pub trait Progress: Sync {
    /// The names of all steps to come, in order. Called once, before the first step.
    fn plan(&self, steps: &[String]);
    /// Step `index` begins.
    fn started(&self, index: usize);
    /// Something worth a line about the step under way: another run has to be waited for.
    fn note(&self, text: &str);
    /// Step `index` is done.
    fn finished(&self, index: usize);
}

/// Says nothing.
#[derive(Debug)]
pub struct Silent;

impl Progress for Silent {
    fn plan(&self, _: &[String]) {}
    fn started(&self, _: usize) {}
    fn note(&self, _: &str) {}
    fn finished(&self, _: usize) {}
}

/// The progress for standard error: a live line on a terminal, plain lines elsewhere.
pub fn for_stderr() -> Box<dyn Progress> {
    if io::stderr().is_terminal() {
        Box::new(Live::default())
    } else {
        Box::new(Lines::new(io::stderr(), HEARTBEAT))
    }
}

/// How long a step may take before [`Lines`] says that it is still under way.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// The steps, and the one under way.
#[derive(Debug, Default)]
struct Plan {
    steps: Vec<String>,
}

impl Plan {
    /// `[3/9] kubernetes v1.36.3`
    fn title(&self, index: usize) -> String {
        format!("tools: [{}/{}] {}", index + 1, self.steps.len(), self.steps[index])
    }

    /// What comes after `index`, shortened.
    fn then(&self, index: usize) -> String {
        match &self.steps[index + 1..] {
            [] => String::new(),
            [next] => format!(" (then {next})"),
            [next, rest @ ..] => format!(" (then {next} and {} more)", rest.len()),
        }
    }
}

/// A line when a step begins, one when it ends, and one every so often between.
#[derive(Debug)]
pub struct Lines<W> {
    plan: Mutex<Plan>,
    running: Mutex<Option<Heartbeat>>,
    out: Arc<Mutex<W>>,
    every: Duration,
}

impl<W: Write + Send + 'static> Lines<W> {
    /// Writes to `out`; a step that is under way is named anew after every `every`.
    pub fn new(out: W, every: Duration) -> Self {
        let (plan, running) = (Mutex::default(), Mutex::default());
        Self { plan, running, out: Arc::new(Mutex::new(out)), every }
    }
}

impl<W: Write + Send + 'static> Progress for Lines<W> {
    fn plan(&self, steps: &[String]) {
        lock(&self.plan).steps = steps.to_vec();
        write_line(&self.out, &format!("tools: to make: {}", steps.join(", ")));
    }

    fn started(&self, index: usize) {
        let plan = lock(&self.plan);
        let title = plan.title(index);
        write_line(&self.out, &format!("{title} ..{}", plan.then(index)));
        let (out, then) = (Arc::clone(&self.out), plan.then(index));
        *lock(&self.running) = Some(Heartbeat::start(self.every, move |elapsed| {
            write_line(&out, &format!("{title} .. {} s{then}", elapsed.as_secs()));
        }));
    }

    fn note(&self, text: &str) {
        write_line(&self.out, &format!("tools: {text}"));
    }

    fn finished(&self, index: usize) {
        if let Some(running) = lock(&self.running).take() {
            let elapsed = running.stop().as_secs_f64();
            let title = lock(&self.plan).title(index);
            write_line(&self.out, &format!("{title} ok ({elapsed:.1} s)"));
        }
    }
}

/// Calls back in regular intervals until it is stopped or dropped.
#[derive(Debug)]
struct Heartbeat {
    start: Instant,
    stop: mpsc::Sender<()>,
}

impl Heartbeat {
    fn start(every: Duration, beat: impl Fn(Duration) + Send + 'static) -> Self {
        let (start, (stop, stopped)) = (Instant::now(), mpsc::channel::<()>());
        std::thread::spawn(move || {
            // The sender is never used, only dropped.
            while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(every) {
                beat(start.elapsed());
            }
        });
        Self { start, stop }
    }

    fn stop(self) -> Duration {
        drop(self.stop);
        self.start.elapsed()
    }
}

/// One line that is always up to date, and a line for each step that is done.
#[derive(Debug, Default)]
struct Live {
    plan: Mutex<Plan>,
    bar: Mutex<Option<(ProgressBar, Instant)>>,
}

impl Progress for Live {
    fn plan(&self, steps: &[String]) {
        lock(&self.plan).steps = steps.to_vec();
    }

    fn started(&self, index: usize) {
        let plan = lock(&self.plan);
        let bar = ProgressBar::new_spinner()
            .with_prefix(plan.title(index))
            .with_message(plan.then(index));
        if let Ok(style) = ProgressStyle::with_template("{prefix} .. {elapsed}{msg}") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(250));
        *lock(&self.bar) = Some((bar, Instant::now()));
    }

    fn note(&self, text: &str) {
        match &*lock(&self.bar) {
            Some((bar, _)) => bar.println(format!("tools: {text}")),
            None => write_line(&Mutex::new(io::stderr()), &format!("tools: {text}")),
        }
    }

    fn finished(&self, index: usize) {
        if let Some((bar, start)) = lock(&self.bar).take() {
            let elapsed = start.elapsed().as_secs_f64();
            bar.println(format!("{} ok ({elapsed:.1} s)", lock(&self.plan).title(index)));
            bar.finish_and_clear();
        }
    }
}

/// Progress is a courtesy: a closed standard error must not stop the work.
fn write_line<W: Write>(out: &Mutex<W>, line: &str) {
    // One write a line: other processes may write to the same terminal.
    if let Err(error) = lock(out).write_all(format!("{line}\n").as_bytes()) {
        tracing::debug!(%error, "cannot write progress");
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    /// Sends every line as it comes.
    struct Channel(mpsc::Sender<String>);

    impl Write for Channel {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.send(String::from_utf8_lossy(bytes).into_owned()).map_err(io::Error::other)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_step_that_takes_long_is_named_again_until_it_ends() {
        let (sender, lines) = mpsc::channel();
        let progress = Lines::new(Channel(sender), Duration::from_millis(1));
        progress.plan(&["kubernetes v1".to_owned(), "envoy v2".to_owned()]);
        progress.started(0);
        let wait_for = |wanted: &str| -> Vec<String> {
            lines
                .iter()
                .map(|line| line.trim_end().to_owned())
                .take_while(|line| line != wanted)
                .collect()
        };
        let before = wait_for("tools: [1/2] kubernetes v1 .. 0 s (then envoy v2)");
        assert_eq!(before[0], "tools: to make: kubernetes v1, envoy v2");
        assert_eq!(before[1], "tools: [1/2] kubernetes v1 .. (then envoy v2)");
        progress.finished(0);
        progress.note("done");
        let after = wait_for("tools: done");
        assert!(after.iter().any(|line| line.starts_with("tools: [1/2] kubernetes v1 ok (0.")));
    }
}
