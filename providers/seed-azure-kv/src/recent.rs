//! What other runs wrote a short while ago: it counts only where no other value is to be put back, and only the run that
//! wrote last puts it back. If that run was killed, nobody does: then this is said of the name, until the newest counts.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use seed_core::inventory::{Depth, Inventory, Presence, Wanted};
use seed_core::name::SecretName;
use seed_provider::{Error, ErrorKind, Operation, Result};
use tokio::time::Instant;

use crate::adapter::{AzureKv, Look, Moment};
use crate::claim::Claim;
use crate::decide::{LIFE, Seen, gives_way, stands};
use crate::inventory::{Listed, gone, lowered, together, unseen};
use crate::write::Stored;

/// All versions of a name, which one is current, and when that was looked at.
pub(crate) struct Record {
    pub(crate) versions: Vec<Seen>,
    pub(crate) current: String,
    pub(crate) moment: Moment,
}

impl AzureKv {
    /// How long a run looks again and again until what it has written is settled.
    pub(crate) fn longest(&self) -> Duration {
        self.pause * PAUSES + SLACK
    }

    /// Reads the current version, and tells when. One that another run wrote counts only once no other value is to be put
    /// back.
    pub(crate) async fn standing(
        &self,
        operation: Operation,
        name: &SecretName,
    ) -> Result<(Stored, Moment)> {
        let begin = Instant::now();
        loop {
            let moment = self.moment();
            let stored = self.fetch(operation, name, None).await?;
            let is_ours = self.rival(&stored.look, moment).is_none();
            if is_ours && !self.doubts(moment) {
                return Ok((stored, moment));
            }
            let versions = self.versions_of(operation, name).await?;
            if stands(&versions, &stored.version, moment.time) && !self.doubts(moment) {
                return Ok((stored, moment));
            }
            if let Some(words) = self.given_up(&versions, &stored.version, moment, begin) {
                return Err(Error::new(ErrorKind::Conflict, operation, words).about(name));
            }
            tokio::time::sleep(BETWEEN).await;
        }
    }

    /// Looks at the versions of what other runs wrote, and shows as unknown what none of them has put right.
    ///
    /// One run that wrote many entries, with nobody beside it, wrote over nobody's value as far as the list tells. It is
    /// believed, so that a look does not take a call for each of them.
    pub(crate) async fn look_closer(
        &self,
        wanted: &[Wanted],
        listed: &BTreeMap<String, Listed>,
        inventory: &mut Inventory,
    ) -> Result<()> {
        let moment = self.moment();
        let shown = |name: &SecretName| listed.get(&lowered(name)).map(|one| one.look.clone());
        let mut runs: BTreeSet<u64> = BTreeSet::new();
        runs.extend(
            listed
                .values()
                .filter_map(|one| self.rival(&one.look, moment)),
        );
        let mut recent: Vec<&SecretName> = Vec::new();
        for wanted in wanted {
            let look = || shown(&wanted.name).or_else(|| self.last_look(&wanted.name));
            if matches!(inventory.get(&wanted.name), Some(Presence::Present { .. }))
                && wanted.depth != Depth::Quick
                && let Some(run) = look().and_then(|look| self.rival(&look, moment))
            {
                runs.insert(run);
                recent.push(&wanted.name);
            }
        }
        if recent.len() > FEW && runs.len() == 1 {
            return Ok(());
        }
        let looks = recent.into_iter().map(|name| async move {
            let open = match self.open(name).await {
                Ok(open) => open.map(|reason| Presence::Unknown { reason }),
                // It is there, and no more can be known.
                Err(err) if err.kind() == ErrorKind::Denied => None,
                Err(err) => Some(unseen(err, gone())?),
            };
            Ok(open.map(|presence| (name.clone(), presence)))
        });
        let looked = together(looks.collect(), self.at_once()).await?;
        for (name, presence) in looked.into_iter().flatten() {
            inventory.insert(name, presence);
        }
        Ok(())
    }

    /// Why nobody can tell what stands, if a run has written over another value and does not put it back.
    async fn open(&self, name: &SecretName) -> Result<Option<String>> {
        let begin = Instant::now();
        loop {
            let record = self.history(Operation::Inventory, name).await?;
            let moment = record.moment;
            if !gives_way(&record.versions, &record.current, moment.time) && !self.doubts(moment) {
                return Ok(None);
            }
            if let Some(words) = self.given_up(&record.versions, &record.current, moment, begin) {
                return Ok(Some(words));
            }
            tokio::time::sleep(BETWEEN).await;
        }
    }

    /// The other run whose version this is, if some run may still have to put another value in its place.
    fn rival(&self, look: &Look, moment: Moment) -> Option<u64> {
        let claim: Claim = look.claim.as_deref()?.parse().ok()?;
        let is_live = moment.time.saturating_sub(look.created) <= LIFE;
        (claim.run != self.run && is_live).then_some(claim.run)
    }

    /// What to say when waiting, since `begin`, is over.
    fn given_up(
        &self,
        versions: &[Seen],
        current: &str,
        moment: Moment,
        begin: Instant,
    ) -> Option<String> {
        let longest = i64::try_from(self.longest().as_secs()).unwrap_or(LIFE);
        let is_over = |seen: &Seen| moment.time.saturating_sub(seen.created) > longest;
        // What a list does not show yet is new.
        let current = versions.iter().find(|seen| seen.id == current);
        if let Some(current) = current.filter(|current| is_over(current) && !self.doubts(moment)) {
            let of_day = current.created.saturating_add(LIFE).rem_euclid(86_400);
            return Some(format!(
                "a run wrote over the value that stood, and did not put it back before it ended; look at its versions, and set the value that is meant with `az keyvault secret set`; after {:02}:{:02}:{:02} UTC the newest one counts",
                of_day / 3600,
                of_day / 60 % 60,
                of_day % 60
            ));
        }
        let message = "runs are writing to it at the same time, and which value stands is not known yet; try again in a minute";
        (begin.elapsed() > self.pause * (PAUSES / 2) + SLACK).then(|| message.to_owned())
    }

    /// All versions of a name, and which one is current.
    pub(crate) async fn history(&self, operation: Operation, name: &SecretName) -> Result<Record> {
        let moment = self.moment();
        let versions = self.versions_of(operation, name).await?;
        let newest = versions.iter().map(|seen| seen.created).max();
        let mut newest = versions.iter().filter(|seen| Some(seen.created) == newest);
        let current = match (newest.next(), newest.next()) {
            (Some(one), None) => one.id.clone(),
            (None, _) => String::new(),
            // Within one second only the service knows.
            (Some(_), Some(_)) => self.fetch(operation, name, None).await?.version,
        };
        Ok(Record {
            versions,
            current,
            moment,
        })
    }
}

const BETWEEN: Duration = Duration::from_millis(500);
/// How many pauses of others a run waits for them at most.
const PAUSES: u32 = 12;
/// Beside the pauses of others: what a short pause would not leave them.
const SLACK: Duration = Duration::from_secs(10);
/// So many entries are looked at one by one in less than a second.
const FEW: usize = 64;
