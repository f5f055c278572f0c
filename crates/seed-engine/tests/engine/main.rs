//! Plans carried out against backends that fail, lose answers and have other users.

#[cfg(test)]
mod answers;
#[cfg(test)]
mod bounds;
#[cfg(test)]
mod cluster;
#[cfg(test)]
mod converging;
#[cfg(test)]
mod cuts;
#[cfg(test)]
mod dead;
#[cfg(test)]
mod files;
#[cfg(test)]
mod fill;
#[cfg(test)]
mod identify;
#[cfg(test)]
mod inventory;
mod known;
#[cfg(test)]
mod pair;
#[cfg(test)]
mod races;
#[cfg(test)]
mod random;
#[cfg(test)]
mod repeat;
#[cfg(test)]
mod replace;
#[cfg(test)]
mod restore;
#[cfg(test)]
mod stopping;
#[cfg(test)]
mod telling;
#[cfg(test)]
mod world;
