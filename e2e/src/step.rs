//! The steps of a run: numbered, timed, told on the terminal, and the words of an error's context.
//!
//! A step ends early with the real cause when the run has to stop ([`Abort`]). Steps do not know
//! what they do; their order is held by the handles they return.

use std::cell::{Cell, RefCell};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use futures::future::LocalBoxFuture;
use tracing::Instrument as _;

use crate::abort::Abort;
use crate::terminal;

/// Told before a step starts: its number and title.
type Watcher = Box<dyn Fn(usize, &str) -> Result<()>>;

/// Runs the steps of one run and keeps their times.
pub(crate) struct Steps {
    total: usize,
    begun: Cell<usize>,
    start: Instant,
    times: RefCell<Vec<StepTime>>,
    abort: Abort,
    watcher: Watcher,
}

/// How one step, or one part of it, went.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct StepTime {
    /// The step's number, from 1; a part has none.
    pub(crate) number: Option<usize>,
    /// Its title.
    pub(crate) title: String,
    /// When it started, counted from the start of the run.
    pub(crate) began: Duration,
    /// How long it took.
    pub(crate) took: Duration,
    /// Whether it succeeded.
    pub(crate) ok: bool,
}

impl Steps {
    /// Prepares for `total` steps. `watcher` hears of each before it starts.
    pub(crate) fn new(
        total: usize,
        abort: Abort,
        watcher: impl Fn(usize, &str) -> Result<()> + 'static,
    ) -> Self {
        Self {
            total,
            begun: Cell::new(0),
            start: Instant::now(),
            times: RefCell::new(Vec::new()),
            abort,
            watcher: Box::new(watcher),
        }
    }

    /// Does `work` as the next numbered step.
    ///
    /// # Errors
    /// What `work` returns, or the reason why the run has to stop; `title` is the context.
    pub(crate) fn run<'a, T: 'a>(
        &'a self,
        title: &'a str,
        work: impl Future<Output = Result<T>> + 'a,
    ) -> LocalBoxFuture<'a, Result<T>> {
        // Boxed here, once: a step is a large future, and a run is made of many.
        let work = Box::pin(work);
        Box::pin(self.numbered(title, work))
    }

    async fn numbered<T>(&self, title: &str, work: impl Future<Output = Result<T>>) -> Result<T> {
        let number = self.begun.get() + 1;
        self.begun.set(number);
        (self.watcher)(number, title)?;
        terminal::pass(&opening(number, self.total, title));
        let span = tracing::info_span!("step", number, title);
        let (result, time) = self.timed(Some(number), title, work).instrument(span).await;
        terminal::say(&line(&time, self.total));
        result
    }

    /// Does `work` as a part of a step: timed and told, but not numbered. Parts may overlap.
    ///
    /// # Errors
    /// As [`Steps::run`].
    pub(crate) fn part<'a, T: 'a>(
        &'a self,
        title: &'a str,
        work: impl Future<Output = Result<T>> + 'a,
    ) -> LocalBoxFuture<'a, Result<T>> {
        let work = Box::pin(work);
        Box::pin(self.unnumbered(title, work))
    }

    async fn unnumbered<T>(&self, title: &str, work: impl Future<Output = Result<T>>) -> Result<T> {
        let (result, time) = self.timed(None, title, work).await;
        tracing::info!("{}", line(&time, self.total));
        result
    }

    /// The times of everything that has ended, in the order of ending.
    pub(crate) fn times(&self) -> Vec<StepTime> {
        self.times.borrow().clone()
    }

    async fn timed<T>(
        &self,
        number: Option<usize>,
        title: &str,
        work: impl Future<Output = Result<T>>,
    ) -> (Result<T>, StepTime) {
        let began = self.start.elapsed();
        let result = self.abort.unless(work).await.with_context(|| title.to_owned());
        let time = StepTime {
            number,
            title: title.to_owned(),
            began,
            took: self.start.elapsed() - began,
            ok: result.is_ok(),
        };
        self.times.borrow_mut().push(time.clone());
        (result, time)
    }
}

fn opening(number: usize, total: usize, title: &str) -> String {
    format!("[{number}/{total}] {title} ..")
}

fn line(time: &StepTime, total: usize) -> String {
    let opening = match time.number {
        Some(number) => opening(number, total, &time.title),
        None => format!("{} ..", time.title),
    };
    let outcome = if time.ok { "ok" } else { "failed" };
    format!("{opening} {outcome} ({:.1} s)", time.took.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use std::future::pending;
    use std::rc::Rc;

    use anyhow::anyhow;
    use pretty_assertions::assert_eq;

    use super::*;

    fn time(number: Option<usize>, title: &str, ok: bool) -> StepTime {
        let took = Duration::from_millis(10_149);
        StepTime { number, title: title.into(), began: Duration::ZERO, took, ok }
    }

    #[test]
    fn a_step_reads_as_a_line() {
        let lines = [
            (time(Some(3), "Deploy Istio", true), "[3/9] Deploy Istio .. ok (10.1 s)"),
            (time(Some(3), "Deploy Istio", false), "[3/9] Deploy Istio .. failed (10.1 s)"),
            (time(None, "the node is Ready", true), "the node is Ready .. ok (10.1 s)"),
        ];
        for (time, expected) in lines {
            assert_eq!(line(&time, 9), expected);
        }
    }

    #[tokio::test]
    async fn steps_count_up_and_are_announced_before_they_start() {
        let told = Rc::new(RefCell::new(Vec::new()));
        let sink = Rc::clone(&told);
        let steps = Steps::new(2, Abort::new(), move |number, title| {
            sink.borrow_mut().push(format!("{number} {title}"));
            Ok(())
        });
        steps.run("one", async { Ok(()) }).await.unwrap();
        steps.part("between", async { Ok(()) }).await.unwrap();
        steps
            .run("two", async {
                assert_eq!(*told.borrow(), ["1 one", "2 two"]);
                Ok(())
            })
            .await
            .unwrap();
        let titles: Vec<_> = steps.times().into_iter().map(|t| (t.number, t.title)).collect();
        let expected = [(Some(1), "one"), (None, "between"), (Some(2), "two")];
        assert_eq!(titles, expected.map(|(number, title)| (number, title.to_owned())));
    }

    #[tokio::test]
    async fn an_error_carries_the_words_of_its_step() {
        let steps = Steps::new(1, Abort::new(), |_, _| Ok(()));
        let error = steps.run("Deploy Istio", async { Err::<(), _>(anyhow!("no room")) }).await;
        assert_eq!(format!("{:#}", error.unwrap_err()), "Deploy Istio: no room");
        assert!(!steps.times()[0].ok);
    }

    #[tokio::test]
    async fn a_step_ends_with_the_reason_to_stop() {
        let abort = Abort::new();
        let steps = Steps::new(1, abort.clone(), |_, _| Ok(()));
        abort.raise("kubelet ended");
        let error = steps.run("Deploy Istio", pending::<Result<()>>()).await.unwrap_err();
        assert_eq!(format!("{error:#}"), "Deploy Istio: kubelet ended");
    }
}
