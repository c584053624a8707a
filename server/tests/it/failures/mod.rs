//! The cart's promises against servers that really stop, freeze, forget and come back, and workers that die.

mod editor;
mod enders;
mod leases;
mod orders;
mod postgres;
mod redis;
mod tabs;
mod worker;

use crate::{
    servers::{Postgres, Servers},
    shop::Shop,
};
use editor::Editor;
use std::time::Duration;

/// A shop on its own servers with people who edit their carts: logged-in shoppers, and half as many guests.
struct Scene {
    shop: Shop,
    editors: Vec<Editor>,
    // Last: the shop goes before its servers.
    servers: Servers,
}

impl Scene {
    /// One process serves and works.
    async fn open(shoppers: usize) -> Self {
        let servers = Servers::start().await;
        let mut shop = Shop::on(&servers);
        shop.spawn("all");
        shop.wait_until_ready().await;
        Self::with(shop, servers, shoppers).await
    }

    /// A shop that only serves; its workers come and go with the test.
    async fn open_without_worker(shoppers: usize) -> Self {
        let servers = Servers::start().await;
        let mut shop = Shop::on(&servers);
        shop.spawn("web");
        // Nobody else fills the gate.
        let mut first = worker(&shop);
        shop.wait_until_ready().await;
        first.kill();
        Self::with(shop, servers, shoppers).await
    }

    async fn with(shop: Shop, servers: Servers, shoppers: usize) -> Self {
        let mut editors = Vec::new();
        for number in 0..shoppers {
            editors.push(Editor::shopper(&shop, number).await);
        }
        for number in shoppers..shoppers + shoppers / 2 {
            editors.push(Editor::guest(&shop, number).await);
        }
        Self { shop, editors, servers }
    }

    /// Everybody edits for that long.
    async fn edit_for(&mut self, time: Duration) -> editor::Times {
        editor::edit_for(&mut self.editors, time).await
    }

    /// Everybody's cart shows what it must, and only that.
    async fn assert_carts(&mut self) {
        for editor in &mut self.editors {
            editor.assert_cart().await;
        }
    }

    /// Postgres comes to hold exactly what everybody's cart holds, and every promise is kept.
    async fn assert_drained(&mut self) {
        self.assert_carts().await;
        for editor in &self.editors {
            editor.wait_until_persisted(&self.servers.postgres).await;
        }
        self.shop.assert_sound();
    }

    /// Every cart is compared, and not one needs to be mended.
    fn assert_nothing_to_reconcile(&self) {
        let output = self.shop.run(&["reconcile", "carts"]);
        let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        let compared = text.split("carts: ").nth(1).and_then(|rest| rest.split(' ').next()?.parse::<usize>().ok());
        assert!(output.status.success() && compared >= Some(self.editors.len()), "{text}");
        let mut counts = text.split(" found").filter_map(|before| before.rsplit(' ').next()?.parse::<u64>().ok());
        assert!(counts.all(|count| count == 0), "{text}");
    }
}

/// A worker of its own for that shop.
fn worker(shop: &Shop) -> Shop {
    let mut worker = shop.sibling();
    worker.spawn("worker");
    worker
}

/// Rows of `carts` that were written since the database began, once the statistics stand still.
async fn writes(postgres: &Postgres) -> i64 {
    let look = || -> i64 {
        let sql =
            "SELECT coalesce(sum(n_tup_ins + n_tup_upd), 0)::bigint FROM pg_stat_user_tables WHERE relname = 'carts'";
        postgres.ask(sql)[0].parse().expect("a number")
    };
    let mut last = look();
    loop {
        // Sessions report at the end of a transaction, at most once a second.
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        let now = look();
        if now == last {
            return now;
        }
        last = now;
    }
}
