//! A check: its probes, and the expression over their numbers.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize, Serializer, ser::SerializeStruct as _};

use crate::spec::{Check, ProbeSpec, expr::Expr};

/// A check as it is written: the expression as a text over the probes' numbers (`0 || !1`), for names may be there
/// twice. It is absent where all probes must hold.
#[derive(Deserialize)]
pub(crate) struct CheckJson {
    probes: Vec<ProbeSpec>,
    #[serde(default)]
    expression: Option<String>,
}

impl TryFrom<CheckJson> for Check {
    type Error = String;

    fn try_from(CheckJson { probes, expression }: CheckJson) -> Result<Self, String> {
        let expression = match expression {
            None => Expr::all(probes.len()),
            Some(text) => {
                let numbers: Vec<String> = (0..probes.len()).map(|index| index.to_string()).collect();
                let names: Vec<&str> = numbers.iter().map(String::as_str).collect();
                Expr::parse(&text, &names).map_err(|error| error.to_string())?
            }
        };
        Ok(Self { probes, expression })
    }
}

impl Serialize for Check {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let Self { probes, expression } = self;
        let mut fields = to.serialize_struct("Check", 2)?;
        fields.serialize_field("probes", probes)?;
        match *expression == Expr::all(probes.len()) {
            true => fields.skip_field("expression")?,
            false => {
                let mut text = String::new();
                write(expression, &mut text);
                fields.serialize_field("expression", &text)?;
            }
        }
        fields.end()
    }
}

/// Brackets stand exactly where the parser would otherwise build another tree.
fn write(expression: &Expr, text: &mut String) {
    match expression {
        Expr::Probe(index) => drop(write!(text, "{index}")),
        Expr::Not(inner) => {
            text.push('!');
            operand(inner, matches!(**inner, Expr::And(_) | Expr::Or(_)), text);
        }
        Expr::And(all) => {
            for (index, inner) in all.iter().enumerate() {
                text.push_str(if index > 0 { " && " } else { "" });
                operand(inner, matches!(inner, Expr::And(_) | Expr::Or(_)), text);
            }
        }
        Expr::Or(any) => {
            for (index, inner) in any.iter().enumerate() {
                text.push_str(if index > 0 { " || " } else { "" });
                operand(inner, matches!(inner, Expr::Or(_)), text);
            }
        }
    }
}

fn operand(expression: &Expr, brackets: bool, text: &mut String) {
    text.push_str(if brackets { "(" } else { "" });
    write(expression, text);
    text.push_str(if brackets { ")" } else { "" });
}
