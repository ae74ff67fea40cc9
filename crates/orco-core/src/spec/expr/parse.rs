//! From text to expression: `http || (tcp && !log)`, with `or`, `and`, `not` as other spellings.

use super::Expr;
use crate::spec::value::nearest;

/// Parentheses and negations inside each other.
const DEPTH: usize = 32;
/// Names and operators.
const LENGTH: usize = 256;

/// Why a text is no expression.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{message}")]
pub struct ExprError {
    message: String,
    help: Option<String>,
}

impl ExprError {
    fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), help: None }
    }

    /// How to mend it.
    pub fn help(&self) -> Option<&str> {
        self.help.as_deref()
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Token<'a> {
    Or,
    And,
    Not,
    Open,
    Close,
    Name(&'a str),
}

impl Token<'_> {
    fn show(self) -> String {
        match self {
            Self::Or => "`||`".to_owned(),
            Self::And => "`&&`".to_owned(),
            Self::Not => "`!`".to_owned(),
            Self::Open => "`(`".to_owned(),
            Self::Close => "`)`".to_owned(),
            Self::Name(name) => format!("`{name}`"),
        }
    }
}

impl Expr {
    /// All of the first `count` probes: what a check without an expression asks for.
    pub fn all(count: usize) -> Self {
        match count {
            1 => Self::Probe(0),
            count => Self::And((0..count).map(Self::Probe).collect()),
        }
    }

    /// Reads an expression over the probes of these names. `!` binds tighter than `&&`, and that tighter than `||`.
    ///
    /// # Errors
    /// Where the text is no expression, names a probe that is not there, or is nested more than 32 deep.
    pub fn parse(text: &str, probes: &[&str]) -> Result<Self, ExprError> {
        let tokens = tokens(text)?;
        let mut parser = Parser { tokens: &tokens, probes };
        let expr = parser.any(0)?;
        match parser.tokens.first() {
            None => Ok(expr),
            Some(Token::Close) => Err(ExprError::new("a `)` without its `(`")),
            Some(token) => Err(ExprError::new(format!("expected `&&` or `||`, found {}", token.show()))),
        }
    }
}

fn tokens(text: &str) -> Result<Vec<Token<'_>>, ExprError> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let word = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        let (token, length) = match first {
            '(' => (Token::Open, 1),
            ')' => (Token::Close, 1),
            '!' => (Token::Not, 1),
            '|' if rest.starts_with("||") => (Token::Or, 2),
            '&' if rest.starts_with("&&") => (Token::And, 2),
            c if word(c) => {
                let length = rest.find(|c| !word(c)).unwrap_or(rest.len());
                let token = match &rest[..length] {
                    "or" => Token::Or,
                    "and" => Token::And,
                    "not" => Token::Not,
                    name => Token::Name(name),
                };
                (token, length)
            }
            other => return Err(stranger(other)),
        };
        tokens.push(token);
        if tokens.len() > LENGTH {
            return Err(ExprError::new(format!("an expression has at most {LENGTH} names and operators")));
        }
        rest = rest[length..].trim_start();
    }
    Ok(tokens)
}

fn stranger(c: char) -> ExprError {
    let help = match c {
        '|' | '｜' => Some("write `||` or `or`"),
        '&' | '＆' => Some("write `&&` or `and`"),
        '！' | '~' => Some("write `!` or `not`"),
        '（' | '）' => Some("write `(` and `)`"),
        _ => None,
    };
    ExprError { message: format!("`{}` means nothing here", c.escape_debug()), help: help.map(str::to_owned) }
}

struct Parser<'a> {
    tokens: &'a [Token<'a>],
    probes: &'a [&'a str],
}

impl<'a> Parser<'a> {
    fn take(&mut self) -> Option<Token<'a>> {
        let (first, rest) = self.tokens.split_first()?;
        self.tokens = rest;
        Some(*first)
    }

    fn any(&mut self, depth: usize) -> Result<Expr, ExprError> {
        let mut operands = vec![self.every(depth)?];
        while self.tokens.first() == Some(&Token::Or) {
            self.take();
            operands.push(self.every(depth)?);
        }
        Ok(if operands.len() == 1 { operands.remove(0) } else { Expr::Or(operands) })
    }

    fn every(&mut self, depth: usize) -> Result<Expr, ExprError> {
        let mut operands = vec![self.one(depth)?];
        while self.tokens.first() == Some(&Token::And) {
            self.take();
            operands.push(self.one(depth)?);
        }
        Ok(if operands.len() == 1 { operands.remove(0) } else { Expr::And(operands) })
    }

    fn one(&mut self, depth: usize) -> Result<Expr, ExprError> {
        if depth == DEPTH {
            return Err(ExprError::new(format!("nested more than {DEPTH} deep")));
        }
        match self.take() {
            Some(Token::Name(name)) => self.probe(name),
            Some(Token::Not) => Ok(Expr::Not(Box::new(self.one(depth + 1)?))),
            Some(Token::Open) => {
                let inner = self.any(depth + 1)?;
                match self.take() {
                    Some(Token::Close) => Ok(inner),
                    Some(token) => Err(ExprError::new(format!("expected `)`, found {}", token.show()))),
                    None => Err(ExprError::new("a `(` without its `)`")),
                }
            }
            Some(token) => Err(ExprError::new(format!("expected the name of a probe, found {}", token.show()))),
            None => Err(ExprError::new("expected the name of a probe, found the end")),
        }
    }

    fn probe(&self, name: &str) -> Result<Expr, ExprError> {
        if let Some(index) = self.probes.iter().position(|probe| *probe == name) {
            return Ok(Expr::Probe(index));
        }
        let help = match nearest(name, self.probes.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => match self.probes {
                [] => "there are none".to_owned(),
                probes => {
                    format!("there are {}", probes.iter().map(|p| format!("`{p}`")).collect::<Vec<_>>().join(", "))
                }
            },
        };
        Err(ExprError { message: format!("no probe `{name}` in this check"), help: Some(help) })
    }
}
