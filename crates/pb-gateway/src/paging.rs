//! Pages of lists. A cursor names the place of the last row that was told, so what comes and goes meanwhile neither
//! repeats a row nor hides one.
//!
//! Each list asks the log for one row more than it tells: whether it is there says whether there is a next page.

use std::fmt::Display;
use std::str::FromStr;

use pb_protocol::RpcError;

/// How a cursor of a list begins; its list follows, and then the place.
const VERSION: &str = "p1";

/// The place that a cursor of this list names.
///
/// # Errors
/// It is not one of this list.
pub(crate) fn after<P: FromStr>(list: &str, cursor: Option<&str>) -> Result<Option<P>, RpcError> {
    let Some(cursor) = cursor else { return Ok(None) };
    let place = cursor.strip_prefix(VERSION).and_then(|rest| rest.strip_prefix('.'));
    let place = place.and_then(|rest| rest.strip_prefix(list)?.strip_prefix('.')?.parse().ok());
    place.map(Some).ok_or_else(|| {
        RpcError::invalid_params("cursor: it is not one of this list")
            .hint("take it from `nextCursor` of the page before, or begin without one")
    })
}

/// Leaves a page of `limit` rows, and tells the cursor after it if there were more.
pub(crate) fn cut<T, P: Display>(
    list: &str,
    rows: &mut Vec<T>,
    limit: usize,
    place: impl Fn(&T) -> P,
) -> Option<String> {
    if rows.len() <= limit {
        return None;
    }
    rows.truncate(limit);
    rows.last().map(|last| format!("{VERSION}.{list}.{}", place(last)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_leads_on_and_one_of_another_list_nowhere() {
        let mut rows = vec![1, 2, 3];
        assert_eq!(cut("number", &mut rows, 3, |row| *row), None, "there are no more");
        let cursor = cut("number", &mut rows, 2, |row| *row);
        assert_eq!(
            (rows.as_slice(), after::<u32>("number", cursor.as_deref())),
            ([1, 2].as_slice(), Ok(Some(2)))
        );
        assert_eq!(cut("number", &mut rows, 0, |row| *row), None, "nothing was asked for");
        assert_eq!(after::<u32>("number", None), Ok(None));
        for wrong in
            ["", "p1", "p1.number", "p1.number.", "p1.number.x", "p2.number.2", "p1.numbers.2", "c1.abc"]
        {
            assert!(after::<u32>("number", Some(wrong)).is_err(), "{wrong}");
        }
    }
}
