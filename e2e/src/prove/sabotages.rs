//! `--sabotage all`: every sabotage on one cluster, and the report over them.

use std::process::ExitCode;

use anyhow::Result;
use serde_json::json;

use super::{Begun, Proving, copy_report};
use crate::run::{End, scoped};
use crate::sabotage::suite::{Sabotaged, Suite};
use crate::terminal;

impl Proving {
    /// Tries all sabotages. Exit code 0 if each ended with exactly its set, 1 if one did not.
    pub(super) async fn all_sabotages(self) -> Result<ExitCode> {
        let setup = self.session.setup(1 + Suite::steps(), false);
        let (folder, ended) = scoped(&setup, &self.session.abort, async |run| {
            let begun = Begun::new(run);
            let ca = self.args.mesh.ca;
            let (cluster, administrator) = self.session.cluster_and_ca(run, ca).await?;
            let suite = Suite {
                steps: &run.steps,
                cluster: &cluster,
                release: &self.session.release,
                administrator: &administrator,
                request: &self.request(run),
            };
            let ended = suite.run().await?;
            administrator.remove_keys()?;
            Ok(((begun.folder, ended), End::TearDown))
        })
        .await?;
        let json = report(&ended);
        copy_report(&json, &folder.join("sabotages.json"))?;
        if let Some(file) = &self.args.report {
            copy_report(&json, file)?;
        }
        for sabotaged in &ended {
            terminal::answer(&line(sabotaged));
        }
        let wrong = ended.iter().filter(|sabotaged| sabotaged.wrong.is_some()).count();
        terminal::answer(&format!(
            "{} of {} sabotages ended as they should; report in {}",
            ended.len() - wrong,
            ended.len(),
            folder.display()
        ));
        Ok(if wrong == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

fn line(sabotaged: &Sabotaged) -> String {
    let (name, sentence) = (sabotaged.sabotage.name, sabotaged.sabotage.sentence);
    match &sabotaged.wrong {
        None => format!("  noticed  {name}: {sentence}\n           {}", sabotaged.ended),
        Some(wrong) => format!("  WRONG    {name}: {sentence}\n           {wrong}"),
    }
}

/// `cacerts.e2e.sabotages/v1`: the totals that CI adds up, and each sabotage with its claims.
fn report(ended: &[Sabotaged]) -> String {
    let wrong = ended.iter().filter(|sabotaged| sabotaged.wrong.is_some()).count();
    let sabotages = ended.iter().map(|sabotaged| {
        let claims = sabotaged.tested.iter().map(|tested| {
            let (number, outcome) = (tested.claim.number, format!("{:?}", tested.outcome));
            json!({"number": number, "outcome": outcome})
        });
        json!({
            "name": sabotaged.sabotage.name,
            "sentence": sabotaged.sabotage.sentence,
            "ended": sabotaged.ended,
            "wrong": sabotaged.wrong,
            "claims": claims.collect::<Vec<_>>(),
        })
    });
    let report = json!({
        "schema": "cacerts.e2e.sabotages/v1",
        "totals": {"passed": ended.len() - wrong, "failed": wrong, "skipped": 0},
        "sabotages": sabotages.collect::<Vec<_>>(),
    });
    format!("{report:#}\n")
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;
    use crate::sabotage::SABOTAGES;

    fn ended(wrong: Option<&str>) -> Sabotaged {
        Sabotaged {
            sabotage: &SABOTAGES[0],
            tested: Vec::new(),
            wrong: wrong.map(str::to_owned),
            ended: "claims 2 false and 13 blocked".to_owned(),
        }
    }

    #[test]
    fn a_sabotage_that_ended_otherwise_fails_the_report() {
        let report: serde_json::Value =
            serde_json::from_str(&report(&[ended(None), ended(Some("expected claims 3"))]))
                .unwrap();
        assert_eq!(report["totals"], json!({"passed": 1, "failed": 1, "skipped": 0}));
        assert_eq!(report["sabotages"][1]["wrong"], "expected claims 3");
    }

    #[test]
    fn a_sabotage_reads_as_two_lines() {
        assert_eq!(
            line(&ended(None)),
            "  noticed  foreign-bundle: the mesh is held against another administrator's bundle \
             with the same names\n           claims 2 false and 13 blocked"
        );
    }
}
