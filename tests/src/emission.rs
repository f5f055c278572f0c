//! Manifests that `seed emit` wrote into a directory.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

use crate::binary::seed_binary;
use crate::cli::Sealed;
use crate::{shared, yaml};

/// The directory that one run of `seed emit` filled. It vanishes with this value.
#[derive(Debug)]
pub struct Emission {
    directory: TempDir,
}

/// One emitted manifest.
#[derive(Clone, Debug)]
pub struct Manifest {
    /// Where it is, from the directory of the emission.
    pub path: PathBuf,
    /// The file as it is.
    pub text: String,
    /// What the file says.
    pub object: Value,
}

impl Emission {
    /// Emits the LLM platform's manifests for a version of the operator, with everything on that
    /// the real ones have.
    pub fn of_llm_platform(shared: &Path, eso_version: &str) -> Result<Self, String> {
        let directory = tempfile::tempdir().map_err(|err| format!("no directory: {err}"))?;
        let facts = shared.join("corpus/llm-platform/config.yaml");
        let mut arguments: Vec<OsString> = ["emit", "-c", "contracts/llm-platform.yaml"]
            .into_iter()
            .chain(["--env", "ai-dev", "--set", "features.egress=true"])
            .chain(["--with-optional", "hf-token", "--eso-version", eso_version])
            .map(OsString::from)
            .collect();
        arguments.extend(["--config".into(), facts.into_os_string()]);
        arguments.extend(["--out".into(), directory.path().as_os_str().to_owned()]);
        let seed = Sealed::new(&seed_binary()?)?.placeholder(directory.path(), "$OUT");
        seed.run(&shared::repository()?, arguments)?.success()?;
        Ok(Self { directory })
    }

    /// Reads every manifest, by its place: namespace and name, as directories and files say.
    pub fn manifests(&self) -> Result<BTreeMap<(String, String), Manifest>, String> {
        manifests(self.directory.path())
    }

    /// Returns what `kustomization.yaml` lists, in its order.
    pub fn kustomization(&self) -> Result<Vec<PathBuf>, String> {
        let kustomization = yaml::file(&self.directory.path().join("kustomization.yaml"))?;
        let resources = kustomization.get("resources").and_then(Value::as_array);
        let resources = resources.ok_or("kustomization.yaml lists no resources")?;
        let paths = resources
            .iter()
            .map(|resource| resource.as_str().map(PathBuf::from));
        paths
            .collect::<Option<_>>()
            .ok_or_else(|| "a resource that is not a path".into())
    }
}

/// Reads every manifest below a directory, by its place: namespace and name, as directories and files say.
pub fn manifests(root: &Path) -> Result<BTreeMap<(String, String), Manifest>, String> {
    let mut found = BTreeMap::new();
    for namespace in entries(root)? {
        if namespace.is_file() && name(&namespace)? == "kustomization.yaml" {
            continue;
        }
        for file in entries(&namespace)? {
            let (place, manifest) = manifest(root, &namespace, &file)?;
            found.insert(place, manifest);
        }
    }
    Ok(found)
}

/// Reads one file, and makes sure that it is where its object belongs.
fn manifest(
    root: &Path,
    namespace: &Path,
    file: &Path,
) -> Result<((String, String), Manifest), String> {
    let text = std::fs::read_to_string(file).map_err(|err| format!("{}: {err}", file.display()))?;
    let object = yaml::document(&text).map_err(|err| format!("{}: {err}", file.display()))?;
    let path = file
        .strip_prefix(root)
        .map_err(|err| err.to_string())?
        .to_path_buf();
    let says = |key: &str| {
        object
            .pointer(key)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let own = says("/metadata/name");
    let described = format!("{}-{own}", says("/kind").to_ascii_lowercase());
    let place = match says("/metadata/namespace") {
        // What is no ExternalSecret says what it is, and is in nobody's way.
        none if none.is_empty() => ("_cluster".to_owned(), described),
        within if ["", "ExternalSecret"].contains(&says("/kind").as_str()) => (within, own),
        within => (within, format!("_{described}")),
    };
    let expected = (name(namespace)?, format!("{}.yaml", place.1));
    if expected != (place.0.clone(), name(file)?) {
        return Err(format!("{} holds {}/{}", path.display(), place.0, place.1));
    }
    Ok((place, Manifest { path, text, object }))
}

fn entries(directory: &Path) -> Result<Vec<PathBuf>, String> {
    let failed = |err: std::io::Error| format!("{}: {err}", directory.display());
    let entries = std::fs::read_dir(directory).map_err(failed)?;
    let mut paths: Vec<_> = entries
        .map(|entry| Ok(entry.map_err(failed)?.path()))
        .collect::<Result<_, String>>()?;
    paths.sort();
    Ok(paths)
}

fn name(path: &Path) -> Result<String, String> {
    let name = path.file_name().and_then(|name| name.to_str());
    name.map(str::to_owned)
        .ok_or_else(|| format!("{} has no name", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(files: &[(&str, &str)]) -> Emission {
        let directory = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = directory.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        Emission { directory }
    }

    #[test]
    fn manifests_are_found_by_namespace_and_name() {
        let emission = written(&[
            ("kustomization.yaml", "resources: [team/app.yaml]\n"),
            ("team/app.yaml", "metadata: {name: app, namespace: team}\n"),
        ]);
        let manifests = emission.manifests().unwrap();
        let places: Vec<_> = manifests.keys().cloned().collect();
        assert_eq!(places, [("team".to_owned(), "app".to_owned())]);
        assert_eq!(
            emission.kustomization(),
            Ok(vec![PathBuf::from("team/app.yaml")])
        );
    }

    #[test]
    fn a_manifest_in_the_wrong_place_is_an_error() {
        for path in [
            "team/other.yaml",
            "other/app.yaml",
            "team/app.yml",
            "app.yaml",
        ] {
            let emission = written(&[(path, "metadata: {name: app, namespace: team}\n")]);
            assert!(emission.manifests().is_err(), "{path}");
        }
        let two = "metadata: {name: app, namespace: team}\n---\na: 1\n";
        assert!(written(&[("team/app.yaml", two)]).manifests().is_err());
    }
}
