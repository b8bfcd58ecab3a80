//! What models cost: the built-in list, under what the settings say.

use std::collections::BTreeMap;

use pb_runtime::config::PriceSetting;
use serde::Deserialize;

use crate::Price;

/// The built-in list, with its date.
const LIST: &str = include_str!("prices.toml");

/// Why a price is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the price of `{model}` is not a number of dollars that is 0 or more")]
pub struct PriceError {
    /// The model, as written.
    pub model: String,
}

/// What models cost.
#[derive(Debug, Clone, Default)]
pub struct Prices {
    set: BTreeMap<String, Price>,
    listed: BTreeMap<String, Price>,
    as_of: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    as_of: String,
    prices: BTreeMap<String, Price>,
}

impl Prices {
    /// The built-in list under these settings.
    pub fn new(settings: &BTreeMap<String, PriceSetting>) -> Result<Self, PriceError> {
        // A test reads it: it is never wrong.
        let list = toml::from_str(LIST).unwrap_or(List { as_of: String::new(), prices: BTreeMap::new() });
        let mut set = BTreeMap::new();
        for (model, price) in settings {
            if ![price.input, price.output].iter().all(|part| part.is_finite() && *part >= 0.0) {
                return Err(PriceError { model: model.clone() });
            }
            set.insert(model.clone(), Price { input: price.input, output: price.output });
        }
        Ok(Self { set, listed: list.prices, as_of: list.as_of })
    }

    /// What `provider/model` costs; `None` when nobody has said. Dates at the end of the name do
    /// not matter.
    pub fn of(&self, model: &str) -> Option<Price> {
        let undated = undated(model);
        let find =
            |prices: &BTreeMap<String, Price>| prices.get(model).or_else(|| prices.get(undated)).copied();
        find(&self.set).or_else(|| find(&self.listed))
    }

    /// When the built-in list was right, as `YYYY-MM`.
    pub fn as_of(&self) -> &str {
        &self.as_of
    }
}

/// The name without `-20250929`, `-2025-09-29` or `-latest` at its end.
pub(crate) fn undated(model: &str) -> &str {
    let number = |text: &str, digits: usize| text.len() == digits && text.bytes().all(|b| b.is_ascii_digit());
    if let Some(name) = model.strip_suffix("-latest") {
        return name;
    }
    match model.rsplit_once('-') {
        Some((name, date)) if number(date, 8) => name,
        Some((rest, day)) if number(day, 2) => {
            let month = rest.rsplit_once('-').filter(|(_, month)| number(month, 2));
            let year = month.and_then(|(rest, _)| rest.rsplit_once('-')).filter(|(_, year)| number(year, 4));
            year.map_or(model, |(name, _)| name)
        }
        _ => model,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_read_and_its_names_are_undated() {
        let list: List = toml::from_str(LIST).unwrap();
        assert!(list.prices.len() > 20 && list.as_of.len() == 7);
        for (model, price) in list.prices {
            assert_eq!(undated(&model), model);
            assert!(0.0 < price.input && price.input < price.output, "{model}");
        }
    }

    #[test]
    fn settings_win_and_dates_do_not_matter() {
        let setting = |input, output| PriceSetting { input, output };
        let settings = BTreeMap::from([
            ("openai/gpt-5".to_owned(), setting(9.0, 90.0)),
            ("自家/大".to_owned(), setting(0.0, 0.0)),
        ]);
        let prices = Prices::new(&settings).unwrap();
        for (model, expect) in [
            ("openai/gpt-5", Some((9.0, 90.0))),
            ("openai/gpt-5-2025-08-07", Some((9.0, 90.0))),
            ("openai/gpt-5-mini-2025-08-07", Some((0.25, 2.0))),
            ("anthropic/claude-sonnet-4-5-20250929", Some((3.0, 15.0))),
            ("anthropic/claude-sonnet-4-5-latest", Some((3.0, 15.0))),
            ("自家/大", Some((0.0, 0.0))),
            ("anthropic/claude-sonnet-4-5-2025092", None),
            ("claude-sonnet-4-5", None),
            ("openai/gpt-5-99", None),
        ] {
            assert_eq!(prices.of(model).map(|price| (price.input, price.output)), expect, "{model}");
        }
        for wrong in [setting(-1.0, 0.0), setting(0.0, f64::NAN), setting(f64::INFINITY, 0.0)] {
            let settings = BTreeMap::from([("a/b".to_owned(), wrong)]);
            assert_eq!(Prices::new(&settings).unwrap_err(), PriceError { model: "a/b".to_owned() });
        }
    }
}
