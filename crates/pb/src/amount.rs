//! Amounts on the command line.

/// A number above zero. JSON has no infinity: it would arrive as no amount at all.
pub(crate) fn amount(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(amount) if amount.is_finite() && amount > 0.0 => Ok(amount),
        Ok(_) | Err(_) => Err("an amount is a number above zero, such as 2.50".to_owned()),
    }
}
