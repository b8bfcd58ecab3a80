//! Personas: one built in, the others TOML files in `$PB_HOME/personas/`, read anew for each question.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::Path;

use pb_model::session::{DEFAULT_PERSONA, Persona};

/// Most entries of the folder that are looked at.
const FILES_MAX: usize = 256;
/// Largest file, in bytes.
const FILE_BYTES_MAX: u64 = 64 * 1024;

/// What the folder holds.
#[derive(Debug)]
pub(crate) struct Personas {
    /// Those that can be used, by id.
    pub(crate) by_id: BTreeMap<String, Persona>,
    /// Files that are not used, and why, in the order of their names.
    pub(crate) problems: Vec<String>,
}

/// Reads the personas of a folder, which need not be there. A file may take the place of the built-in one.
pub(crate) fn read(folder: &Path) -> Personas {
    let mut personas = Personas {
        by_id: BTreeMap::from([(DEFAULT_PERSONA.to_owned(), Persona::built_in())]),
        problems: Vec::new(),
    };
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return personas,
        Err(error) => {
            personas.problems.push(format!("{}: {error}", folder.display()));
            return personas;
        }
    };
    let mut entries = entries.flatten();
    for entry in entries.by_ref().take(FILES_MAX) {
        let path = entry.path();
        if path.extension().is_none_or(|ending| ending != "toml") {
            continue;
        }
        match read_file(&path) {
            Ok(persona) => drop(personas.by_id.insert(persona.id.clone(), persona)),
            Err(why) => personas.problems.push(format!("{}: {why}", path.display())),
        }
    }
    personas.problems.sort();
    if entries.next().is_some() {
        let more = format!("{}: only {FILES_MAX} files are looked at; remove some", folder.display());
        personas.problems.push(more);
    }
    personas
}

fn read_file(path: &Path) -> Result<Persona, String> {
    let id = path.file_stem().and_then(|stem| stem.to_str()).ok_or("its name is not UTF-8; rename it")?;
    // A pipe would be waited for.
    if !fs::metadata(path).map_err(|error| error.to_string())?.is_file() {
        return Err("it is not a file".to_owned());
    }
    let mut text = String::new();
    let file = File::open(path).map_err(|error| error.to_string())?;
    file.take(FILE_BYTES_MAX + 1).read_to_string(&mut text).map_err(|error| error.to_string())?;
    if text.len() as u64 > FILE_BYTES_MAX {
        return Err(format!("it is larger than {FILE_BYTES_MAX} bytes; make it shorter"));
    }
    let mut persona: Persona = toml::from_str(&text).map_err(|error| error.message().to_owned())?;
    if !persona.id.is_empty() && persona.id != id {
        return Err(format!("its id is `{}`, its file's name says `{id}`; make them the same", persona.id));
    }
    if let Some(problem) = persona.problem() {
        return Err(problem);
    }
    id.clone_into(&mut persona.id);
    Ok(persona)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_file_is_told_and_the_others_are_used() {
        let home = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(home.path().join(name), text).unwrap();
        write("小红.toml", "name = \"小红\"\nlocale = \"zh-CN\"\n[personality]\nhumor = 1.0");
        write("loud.toml", "name = \"Loud\"\nlocale = \"en\"\n[personality]\nhumor = 11");
        write("nameless.toml", "locale = \"en\"");
        write("other.toml", "id = \"another\"\nname = \"Other\"\nlocale = \"en\"");
        write("long.toml", &"#".repeat(65 * 1024));
        write("notes.txt", "not a persona");
        let personas = read(home.path());
        let ids: Vec<&str> = personas.by_id.keys().map(String::as_str).collect();
        assert_eq!(ids, ["pony-default", "小红"]);
        assert_eq!(personas.by_id["小红"].personality["humor"].to_string(), "1");
        let told = personas.problems.join("\n");
        for part in [
            "long.toml: it is larger",
            "loud.toml: humor is 11",
            "nameless.toml: missing",
            "other.toml: its id",
        ] {
            assert!(told.contains(part), "{part} in {told}");
        }
        assert_eq!(personas.problems.len(), 4, "{told}");
    }

    #[test]
    fn the_built_in_one_needs_no_folder_and_gives_way_to_a_file() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("personas");
        assert_eq!(read(&folder).by_id[DEFAULT_PERSONA].name, "Pony");
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("pony-default.toml"), "name = \"Mine\"\nlocale = \"en\"").unwrap();
        assert_eq!(read(&folder).by_id[DEFAULT_PERSONA].name, "Mine");
    }
}
