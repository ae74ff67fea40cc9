//! G10: children begin clean, through the whole engine. (`keeper::children_begin_clean` asks for more, below a parent
//! as dirty as it gets.)

use crate::world::{World, sh, within};

#[tokio::test]
async fn a_service_begins_clean() {
    let script = "
        grep -E '^Sig(Blk|Ign):' /proc/self/status | tr -d '\\t'
        ls /proc/$$/fd | sed 's/^/fd /'
        readlink /proc/$$/fd/0
        read -r pid name state parent group session rest </proc/$$/stat
        [ $pid = $$ ] && [ $group = $$ ] && [ $session = $$ ] && echo own session";
    let world = World::new([sh("child", script).oneshot()]);
    world.up().await;
    within(world.engine.finished()).await.unwrap();
    let zero = "0000000000000000";
    let expect = [format!("SigBlk:{zero}"), format!("SigIgn:{zero}")]
        .into_iter()
        .chain(["fd 0", "fd 1", "fd 2", "/dev/null", "own session"].map(str::to_owned));
    assert_eq!(world.said_by("child").await, expect.collect::<Vec<_>>());
    world.end().await;
}
