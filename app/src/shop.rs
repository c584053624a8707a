//! What every page and component of a tab shares: who is looking, the live signals, the refusal of the last plain form.

use crate::{
    boot::{Boot, Flash},
    call::json,
    live::Live,
};
use domain::{Permission, account::AccountView};
use leptos::prelude::*;
use leptos_router::hooks::use_location;

#[derive(Clone, Copy)]
pub struct Shop {
    pub live: Live,
    account: StoredValue<Option<AccountView>>,
    providers: StoredValue<Vec<String>>,
    business: StoredValue<Vec<String>>,
    flash: RwSignal<Option<Flash>>,
}

impl Shop {
    /// Starts from what the server wrote into the page.
    pub fn provide() {
        let boot: Boot = json::read(&SharedValue::new_str(boot).into_inner()).unwrap_or_default();
        let live = Live::new(&boot);
        live.start();
        provide_context(Self {
            live,
            account: StoredValue::new(boot.account),
            providers: StoredValue::new(boot.providers),
            business: StoredValue::new(boot.business),
            flash: RwSignal::new(boot.flash),
        });
    }

    /// A refusal belongs to the page it was shown on; call inside the router.
    pub fn forget_flash_on_leaving(self) {
        let path = use_location().pathname;
        Effect::new(move |shown: Option<String>| {
            let path = path.get();
            if shown.is_some_and(|shown| shown != path) {
                self.flash.set(None);
                self.live.refusal().set(None);
            }
            path
        });
    }

    pub fn account(self) -> Option<AccountView> {
        self.account.get_value()
    }

    /// Whether the person looking at the page is trusted with this.
    pub fn may(self, permission: Permission) -> bool {
        self.account.with_value(|account| account.as_ref().is_some_and(|account| account.role.may(permission)))
    }

    /// Names of the payment providers.
    pub fn providers(self) -> Vec<String> {
        self.providers.get_value()
    }

    /// Who sells here, as a receipt says it.
    pub fn business(self) -> Vec<String> {
        self.business.get_value()
    }

    /// The refusal of this form (`account/login`), if it was just sent without WASM.
    pub fn flash(self, form: &str) -> Option<Flash> {
        self.flash.with(|flash| flash.as_ref().filter(|flash| flash.form == form).cloned())
    }
}

pub fn use_shop() -> Shop {
    expect_context()
}

/// On the server: loaded by the page's handler, and written into the page. In the browser it is read from there.
fn boot() -> String {
    #[cfg(feature = "ssr")]
    if let Some(parts) = use_context::<http::request::Parts>() {
        return parts.extensions.get::<Boot>().and_then(|boot| serde_json::to_string(boot).ok()).unwrap_or_default();
    }
    String::new()
}
