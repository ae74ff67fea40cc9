#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::*;

fn expanded(text: &str, field: Field) -> Result<String, Vec<String>> {
    let mut flaws = Vec::new();
    let mut var = |name: &str| match name {
        "A" => Some("a".to_owned()),
        "EMPTY" => Some(String::new()),
        "TRICK" => Some("${A} $ $$".to_owned()),
        _ => None,
    };
    let text = expand(text, field, &mut var, &mut flaws);
    if flaws.is_empty() { Ok(text) } else { Err(flaws.into_iter().map(|flaw| flaw.message).collect()) }
}

#[test]
fn what_the_loader_expands() {
    for (text, fixed, template) in [
        ("${A}", "a", "a"),
        ("x${A}y${A}", "xaya", "xaya"),
        ("$A $( $", "$A $( $", "$A $( $"),
        ("$$", "$", "$$"),
        ("$${A}", "${A}", "$${A}"),
        ("$$$${A}", "$${A}", "$$$${A}"),
        ("$$${A}", "$a", "$$a"),
        ("${EMPTY}", "", ""),
        ("${EMPTY:-d}", "d", "d"),
        ("${NONE:-d e}", "d e", "d e"),
        ("${NONE:-}", "", ""),
        ("${NONE:-${A}-${EMPTY:-z}}", "a-z", "a-z"),
        ("${A:?needed}", "a", "a"),
        ("${TRICK}", "${A} $ $$", "$${A} $$ $$$$"),
    ] {
        assert_eq!(expanded(text, Field::Fixed).as_deref(), Ok(fixed), "{text}");
        assert_eq!(expanded(text, Field::Template).as_deref(), Ok(template), "{text}");
    }
    for text in ["${port}", "${port.admin}", "${replica}", "${service}", "${endpoint.db}", "${endpoints.db.sql}"] {
        assert_eq!(expanded(text, Field::Template).as_deref(), Ok(text));
        assert_eq!(expanded(text, Field::Fixed), Err(vec![format!("`{text}` has no value here")]));
    }
}

#[test]
fn what_it_does_not() {
    for (text, message) in [
        ("${NONE}", "variable `NONE` has no value"),
        ("${NONE:?say it}", "variable `NONE` has no value: say it"),
        ("${EMPTY:?}", "variable `EMPTY` has no value"),
        ("${", "`${` is never closed"),
        ("${A", "`${` is never closed"),
        ("${}", "`${}` is no variable"),
        ("${A-b}", "`${A-b}` is no variable"),
        ("${1}", "`${1}` is no variable"),
        ("${port.}", "`${port.}` is no variable"),
        ("${endpoint}", "variable `endpoint` has no value"),
        ("${endpoint.a.b.c}", "`${endpoint.a.b.c}` is no variable"),
    ] {
        assert_eq!(expanded(text, Field::Template), Err(vec![message.to_owned()]), "{text}");
    }
}

#[test]
fn what_an_instance_fills() {
    let value = |var: &InstanceVar| match var {
        InstanceVar::Port(None) => Ok("20001".to_owned()),
        InstanceVar::Replica => Ok("0".to_owned()),
        InstanceVar::Endpoint { service, port } => Ok(format!("{service}:{}", port.as_deref().unwrap_or("first"))),
        other => Err(other.clone()),
    };
    assert_eq!(fill("-p ${port} $$x $y ${replica}", value).unwrap(), "-p 20001 $x $y 0");
    assert_eq!(fill("${endpoint.db},${endpoint.db.sql}", value).unwrap(), "db:first,db:sql");
    assert_eq!(fill("${port.admin}", value), Err(InstanceVar::Port(Some("admin".to_owned()))));
    assert_eq!(fill("$${port} ${HOME} ${", value).unwrap(), "${port} ${HOME} ${");
}

fn nothing(var: &InstanceVar) -> Result<String, InstanceVar> {
    Err(var.clone())
}

proptest! {
    /// What comes from the environment reaches the program as it is.
    #[test]
    fn values_arrive_unchanged(value in "[$\\{\\}a-z. ]{0,30}") {
        let mut flaws = Vec::new();
        let text = expand("<${V}>", Field::Template, &mut |_| Some(value.clone()), &mut flaws);
        prop_assert!(flaws.is_empty());
        prop_assert_eq!(fill(&text, nothing).unwrap(), format!("<{value}>"));
        prop_assert_eq!(fill(&literal(&value), nothing).unwrap(), value);
    }

    #[test]
    fn nothing_panics(text in "[$\\{\\}:?.a-zA-Zé-]{0,40}") {
        let _ = expanded(&text, Field::Fixed);
        let _ = expanded(&text, Field::Template);
        let _ = (fill(&text, |_| Ok::<_, ()>("x".to_owned())), instance_vars(&text));
    }
}
